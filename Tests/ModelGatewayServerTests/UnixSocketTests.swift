// Unix domain sockets: listening on one, its file, and calling one over both transports.

import Foundation
import ModelGateway
import ModelGatewayServer
import Testing

@Suite("Unix domain sockets", .timeLimit(.minutes(1)))
struct UnixSocketTests {
    private final class Place {
        let directory: URL
        var path: String { directory.appending(path: "gateway.sock").path() }

        init() throws {
            directory = URL(filePath: "/tmp/socket-\(UUID().uuidString.prefix(8))")
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        }

        deinit {
            try? FileManager.default.removeItem(at: directory)
        }

        func attribute(_ key: FileAttributeKey) throws -> Any? {
            try FileManager.default.attributesOfItem(atPath: path)[key]
        }
    }

    private static func transport(_ isCurl: Bool) throws -> any HTTPTransport {
        let curl = try CurlTransport()
        return isCurl ? curl : try EventLoopTransport(over: curl)
    }

    private let place: Place
    private var options: ServerOptions { ServerOptions(host: "unix:\(place.path)", socketMode: 0o600) }

    init() throws {
        place = try Place()
    }

    private func send(_ transport: any HTTPTransport, _ path: String, body: String? = nil) async throws
        -> HTTPTransportResponse
    {
        try await transport.send(
            HTTPTransportRequest(
                method: body == nil ? "GET" : "POST",
                url: "\(try BaseURL("unix://\(place.path)"))\(path)",
                headers: [HTTPHeader("content-type", "application/json")],
                body: body.map { .bytes(Array($0.utf8)) } ?? .none
            )
        )
    }

    @Test(arguments: [true, false])
    func `a server on a socket is called over both transports`(isCurl: Bool) async throws {
        let transport = try Self.transport(isCurl)
        let gateway = FakeGateway { request throws(GatewayError) in
            .json(String(decoding: request.body, as: UTF8.self))
        }
        try await withServer(gateway, options: options) { _ in
            for body in ["{}", #"{"a":1}"#] {
                let response = try await send(transport, "/v1/chat/completions", body: body)
                #expect(response.status == 200)
                var bytes: [UInt8] = []
                while let more = try await response.body.next() { bytes += more }
                #expect(String(decoding: bytes, as: UTF8.self) == body)
            }
            let health = try await send(transport, "/health")
            #expect(health.status == 200)
        }
        #expect(gateway.requests.first?.sender == RequestSender())
    }

    @Test(arguments: [true, false])
    func `a socket that is not there is named as such`(isCurl: Bool) async throws {
        let transport = try Self.transport(isCurl)
        let error = await #expect(throws: GatewayError.self) { try await send(transport, "/health") }
        #expect(error?.code == .connectFailed)
        #expect(error?.message.contains("there is no such socket") == true, "\(error?.message ?? "")")
        #expect(error?.message.contains(place.path) == false)
    }

    @Test func `the file has its mode, and goes with the server`() async throws {
        try await withServer(FakeGateway(), options: options) { _ in
            #expect(try place.attribute(.type) as? FileAttributeType == .typeSocket)
            #expect(try (place.attribute(.posixPermissions) as? NSNumber)?.intValue == 0o600)
            let names = try FileManager.default.contentsOfDirectory(atPath: place.directory.path())
            #expect(names == ["gateway.sock"])
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: place.directory.path()).isEmpty)
    }

    @Test func `a file that a process has left behind is replaced, and one in use is not`() async throws {
        let transport = try Self.transport(true)
        let left = Process()
        left.executableURL = URL(filePath: "/usr/bin/env")
        left.arguments = [
            "python3", "-c", "import socket,sys; s=socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen()",
            place.path,
        ]
        try left.run()
        left.waitUntilExit()
        #expect(try place.attribute(.type) as? FileAttributeType == .typeSocket)
        try await withServer(FakeGateway(), options: options) { _ in
            let error = await #expect(throws: GatewayError.self) {
                try await withServer(FakeGateway(), options: options) { _ in }
            }
            #expect(error?.code == .configuration)
            #expect(error?.message.contains("another process listens there") == true, "\(error?.message ?? "")")
            let health = try await send(transport, "/health")
            #expect(health.status == 200)
        }
    }

    @Test func `places where no socket can be are refused with their reason`() async throws {
        try Data("precious".utf8).write(to: URL(filePath: place.path))
        let long = "/tmp/" + String(repeating: "x", count: 100)
        let cases = [
            (place.path, "not a socket"), ("\(place.directory.path())/none/a.sock", "No such file"),
            ("relative.sock", "whole path"), (long, "99 bytes"),
        ]
        for (path, words) in cases {
            let error = await #expect(throws: GatewayError.self) {
                try await withServer(FakeGateway(), options: ServerOptions(host: "unix:\(path)")) { _ in }
            }
            #expect(error?.code == .configuration)
            #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
        }
        #expect(try String(contentsOf: URL(filePath: place.path), encoding: .utf8) == "precious")
    }

    @Test func `a program on this machine is an admin by the socket, unless it is a proxy`() async throws {
        let transport = try Self.transport(true)
        for (trusted, status) in [([], 200), (["unix"], 403)] {
            var options = options
            options.trustedProxies = trusted
            try await withServer(Gateway(groups: []), options: options) { _ in
                let answer = try await send(transport, "/workers")
                #expect(answer.status == status)
            }
        }
    }
}
