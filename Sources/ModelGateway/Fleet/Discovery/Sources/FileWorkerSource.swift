// Workers from a file with one base URL per line, read again when it changes.

import GatewaySystem

/// Watches a file that lists workers.
///
/// Empty lines, and what follows a `#` at the start of a line or after white space, are ignored. If a line is invalid,
/// the last good list stays; the first list keeps its good lines, because there is no earlier one. A changed file is
/// read once it has stood still for a moment, so that it is not used half-written; one that
/// would remove all workers must stand still for longer, and nothing is removed while there is no file.
public struct FileWorkerSource: WorkerSource {
    public let name = "file"
    let path: String
    let interval: Duration
    let time: TimeSource

    /// Watches a file.
    /// - Parameter path: The file, with one base URL on a line.
    public init(path: String) {
        self.init(path: path, time: .system)
    }

    /// Watches the file at a path.
    /// - Parameter interval: How often the file's date, size and identity are checked.
    package init(path: String, interval: Duration = .seconds(1), time: TimeSource) {
        self.path = path
        self.interval = interval
        self.time = time
    }

    public func watch(_ report: WorkerReport) async {
        var reader = ListReader()
        while !Task.isCancelled {
            let known = reader.taken
            let look = await BlockingCall.run { [path] in Self.look(at: path, known: known) }
            let pause = look.map { reader.take($0, path: path, report) } ?? nil
            do { try await time.sleep(pause ?? interval) } catch { return }
        }
    }

    /// What has been seen of the file so far.
    private struct ListReader {
        /// How long a changed file must stand still before it is used.
        private static let settling = Duration.milliseconds(250)

        /// The state of the file that has been dealt with.
        var taken: FileStatus?
        private var settlingVersion: FileStatus?
        private var lists = WorkerListReview()
        private var lastProblem: String?
        private var hasList = false

        /// Evaluates a look at the file, and returns the time until the next one if it should be soon.
        mutating func take(_ look: Look, path: String, _ report: WorkerReport) -> Duration? {
            switch look {
            case .unchanged:
                settlingVersion = nil
                return nil
            case .unreadable(let problem):
                (taken, settlingVersion) = (nil, nil)
                if problem != lastProblem { report.problem(problem) }
                lastProblem = problem
                return nil
            case .changed(let version, let text):
                lastProblem = nil
                guard !hasList || version == settlingVersion else {
                    settlingVersion = version
                    // A file that was written in between is a different one, even if it is as empty as before.
                    lists.forgetDoubt()
                    return Self.settling
                }
                return takeOver(text, version, path: path, report)
            }
        }

        private mutating func takeOver(
            _ text: String,
            _ version: FileStatus,
            path: String,
            _ report: WorkerReport
        ) -> Duration? {
            let (workers, problems) = FileWorkerSource.parse(text)
            for problem in problems { report.problem("\(path):\(problem)") }
            if problems.isEmpty || !hasList {
                let (list, needsSecondLook) = lists.review(workers)
                if let list { report.workers(list) }
                hasList = hasList || !workers.isEmpty
                if needsSecondLook { return WorkerListReview.secondLook }
            }
            taken = version
            return nil
        }
    }

    /// The workers of a list, and for each invalid line a sentence that begins with the line's number.
    package static func parse(_ text: String) -> (workers: [WorkerAddress], problems: [String]) {
        var workers: [WorkerAddress] = []
        var problems: [String] = []
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (index, line) in lines.enumerated() {
            let words = line.split(whereSeparator: \.isWhitespace)
            let url = words.prefix { !$0.hasPrefix("#") }
            guard let first = url.first else { continue }
            do throws(GatewayError) {
                guard url.count == 1 else {
                    throw GatewayError(.configuration, "There is more than one URL on the line; write each on its own.")
                }
                workers.append(try WorkerAddress(String(first)))
            } catch {
                problems.append("\(index + 1): \(error.message)")
            }
        }
        return (workers, problems)
    }
}

// MARK: - The file

extension FileWorkerSource {
    private enum Look: Sendable {
        case unchanged
        case changed(FileStatus, String)
        case unreadable(String)
    }

    private static let largestFile = 1 << 20

    private static func look(at path: String, known: FileStatus?) -> Look {
        do throws(SystemError) {
            let file = try OpenFile(path, waits: false)
            let status = try file.status()
            if status == known { return .unchanged }
            guard status.size <= largestFile else {
                return .unreadable("The list of workers \(path) is larger than 1 MiB; is it the right file?")
            }
            let bytes = try file.read(atMost: largestFile)
            return .changed(status, String(decoding: bytes, as: UTF8.self))
        } catch {
            return .unreadable("The list of workers \(path) cannot be read: \(error).")
        }
    }
}
