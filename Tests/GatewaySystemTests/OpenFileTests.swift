// Files: their content up to a limit, their status, and why they cannot be had.

import Foundation
import GatewaySystem
import Testing

struct OpenFileTests {
    private let directory = FileManager.default.temporaryDirectory.appendingPathComponent("open-file-\(UUID())")

    private func file(_ content: [UInt8]) throws -> String {
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let path = directory.appendingPathComponent("file").path
        try Data(content).write(to: URL(fileURLWithPath: path))
        return path
    }

    @Test func `A file as large as the limit is read whole, and a larger one is not`() throws {
        let content = (0..<200_000).map { UInt8(truncatingIfNeeded: $0) }
        let path = try file(content)
        defer { try? FileManager.default.removeItem(at: directory) }
        #expect(try OpenFile.content(of: path, limit: 200_000) == content)
        #expect(try OpenFile.content(of: path, limit: 199_999) == nil)
        #expect(try OpenFile.content(of: "/dev/null", limit: 0) == [])
    }

    @Test func `Reading goes on where it stopped`() throws {
        let path = try file([1, 2, 3])
        defer { try? FileManager.default.removeItem(at: directory) }
        let file = try OpenFile(path)
        let (first, rest) = (try file.read(atMost: 2), try file.read(atMost: 2))
        #expect(first == [1, 2])
        #expect(rest == [3])
    }

    @Test func `The reason for a failure is the system's`() {
        #expect(throws: SystemError.noSuchFile) { try OpenFile.content(of: "/nowhere/at/all", limit: 1) }
        #expect(throws: SystemError.isDirectory) { try OpenFile.content(of: "/", limit: 1) }
        #expect(throws: SystemError.noSuchFile) { try OpenFile.checkReadable("/nowhere/at/all") }
        #expect("\(SystemError.noSuchFile)" == "No such file or directory")
        #expect(OpenFile.exists("/"))
        #expect(!OpenFile.exists("/nowhere/at/all"))
    }

    @Test func `Two looks at a file are equal until it changes`() throws {
        let path = try file([1, 2, 3])
        defer { try? FileManager.default.removeItem(at: directory) }
        let before = try OpenFile(path).status()
        #expect(before.isRegular)
        #expect(before.size == 3)
        #expect(try OpenFile(path).status() == before)
        _ = try file([1, 2, 3, 4])
        #expect(try OpenFile(path).status() != before)
    }
}
