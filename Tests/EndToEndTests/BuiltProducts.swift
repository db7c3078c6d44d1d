// Where the build put the programs that the tests run, and the other files that they need.

import Foundation
import ModelGateway

enum BuiltProducts {
    /// The directory of the test bundle, where the other products of the same build are.
    static let directory: String = {
        let arguments = CommandLine.arguments
        let bundle = arguments.first { $0.contains(".xctest") } ?? arguments.first ?? "."
        let path = bundle.components(separatedBy: ".xctest")[0]
        return (path as NSString).deletingLastPathComponent
    }()

    static func path(_ name: String) -> String { "\(directory)/\(name)" }

    /// Runs the program of the command line.
    static func gateway(
        _ arguments: String...,
        environment: [String: String] = [:],
        input: ChildProcess.Input = .none,
        readsOutput: Bool = true
    ) throws -> ChildProcess {
        try ChildProcess(
            path("gateway"),
            arguments,
            environment: environment,
            input: input,
            readsOutput: readsOutput
        )
    }

    /// A file beside this one.
    static func source(_ name: String, of file: String = #filePath) -> String {
        ((file as NSString).deletingLastPathComponent as NSString).appendingPathComponent(name)
    }

    /// The Python that has the official clients; scripts/test says where.
    static func python() throws -> String {
        if let path = ProcessInfo.processInfo.environment["MODELGATEWAY_TEST_PYTHON"] { return path }
        throw ChildProcess.Failure(
            description:
                "MODELGATEWAY_TEST_PYTHON is not set; run the tests with scripts/test, which installs the clients."
        )
    }
}

/// A directory that is gone after the test.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("modelgateway-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Writes a file and returns its path.
    func write(_ name: String, _ text: String) throws -> String {
        try write(name, Data(text.utf8))
    }

    func write(_ name: String, _ data: Data) throws -> String {
        let file = "\(path)/\(name)"
        try data.write(to: URL(fileURLWithPath: file))
        return file
    }
}
