// What the system counts of the processors' work, and what of it this process did.

#if LlamaCpp

import CLlama
import GatewaySystem
import ModelGateway

/// Looks at the processors that this process may use, again and again. Used by one thread at a time.
struct ProcessorLoad {
    private struct Counters {
        var time: MonotonicInstant
        /// For how long the processors had nothing to do, all together.
        var idle: Duration
        /// For how long they worked for this process.
        var own: Duration
    }

    private let processors: [Int]
    private var last: Counters

    /// Nil where the system does not tell.
    init?() {
        let allowed = (0..<1024).filter { modelgateway_llama_allows_processor(Int32($0)) != 0 }
        guard !allowed.isEmpty, let counters = Self.counters(of: allowed) else { return nil }
        processors = allowed
        last = counters
    }

    /// How long ago the last look was.
    func age(at now: MonotonicInstant) -> Duration { now - last.time }

    /// What happened since the last look.
    mutating func look() -> ThreadShare.Look? {
        guard let counters = Self.counters(of: processors) else { return nil }
        let elapsed = counters.time - last.time
        guard elapsed > .zero else { return nil }
        let busy = Double(processors.count) - max(.zero, counters.idle - last.idle) / elapsed
        let own = (counters.own - last.own) / elapsed
        last = counters
        return ThreadShare.Look(processors: Double(processors.count), foreign: busy - own)
    }

    private static func counters(of processors: [Int]) -> Counters? {
        #if os(Linux)
        guard let ticks = ThisProcess.ticksPerSecond, let own = ThisProcess.processorTime,
            let text = SystemFile.read("/proc/stat", atMost: 1 << 16),
            let idle = idleTicks(in: text, of: processors)
        else { return nil }
        return Counters(
            time: .now,
            idle: .seconds(Double(idle) / Double(ticks)),
            own: own
        )
        #else
        return nil
        #endif
    }

    /// The idle time that `/proc/stat` has for these processors: the fourth number of a line, and the fifth, which is the
    /// time without work while a disk was waited for.
    static func idleTicks(in text: [UInt8], of processors: [Int]) -> Int? {
        var sum = 0
        var found = 0
        for line in text.split(separator: UInt8(ascii: "\n")) {
            guard line.starts(with: "cpu".utf8) else { break }
            let fields = line.split(separator: UInt8(ascii: " "))
            guard fields.count >= 5, let number = Int(String(decoding: fields[0].dropFirst(3), as: UTF8.self)),
                processors.contains(number)
            else { continue }
            for field in fields[4..<min(6, fields.count)] { sum += Int(String(decoding: field, as: UTF8.self)) ?? 0 }
            found += 1
        }
        return found == processors.count ? sum : nil
    }
}

/// Small files in which the system tells about itself.
enum SystemFile {
    /// The bytes of a file; nil if it is not there.
    static func read(_ path: String, atMost limit: Int) -> [UInt8]? {
        guard let bytes = try? OpenFile(path).read(atMost: limit), !bytes.isEmpty else { return nil }
        return bytes
    }

    /// The first line of a file.
    static func line(_ path: String) -> String? {
        read(path, atMost: 4096).map { String(decoding: $0.prefix { $0 != 10 }, as: UTF8.self) }
    }
}

#endif
