// The Unix domain socket that a server listens on.

import GatewaySystem
import GatewayWire
import ModelGateway
import Synchronization

/// A socket's file from before the server listens until it has ended.
final class ListeningSocket: Sendable {
    private let file: SocketFile
    private let identity = Lock<SocketFile.Identity?>(nil)

    /// Where the server begins to listen, see ``publish(mode:)``.
    var firstPath: String { file.firstPath }

    /// Looks at what is at the place of the socket.
    /// - Returns: Nil if the server listens on the network.
    /// - Throws: ``GatewayError/Code/configuration`` if it cannot listen there.
    convenience init?(_ options: ServerOptions) throws(GatewayError) {
        guard Self.isNamed(by: options.host) else { return nil }
        try self.init(path: String(options.host.dropFirst(Self.prefix.count)))
    }

    /// Whether a host is a socket.
    static func isNamed(by host: String) -> Bool { host.hasPrefix(prefix) }

    private static let prefix = "unix:"

    private init(path: String) throws(GatewayError) {
        file = SocketFile(path)
        guard path.hasPrefix("/"), path.utf8.count <= SocketFile.longestPath, !path.utf8.contains(0) else {
            throw cannot(
                "a socket is written unix:/path, with the whole path of at most \(SocketFile.longestPath) bytes"
            )
        }
        switch file.occupant {
        case .nothing, .abandoned: file.clear()
        case .listener: throw cannot("another process listens there; stop it, or choose another path with --host")
        case .file: throw cannot("there is a file that is not a socket; remove it, or choose another path with --host")
        }
    }

    /// Makes the socket known under its own name, with its mode.
    func publish(mode: Int) throws(GatewayError) {
        do throws(SystemError) {
            let identity = try file.publish(mode: mode)
            self.identity.withLock { $0 = identity }
        } catch {
            throw cannot("\(error)")
        }
    }

    /// Removes the file, unless it is another process's by now.
    func remove() {
        guard let identity = identity.withLock({ $0 }) else { return }
        file.remove(identity)
    }

    /// The system refused.
    func cannotListen(_ number: Int32) -> GatewayError { cannot("\(SystemError(number: number))") }

    private func cannot(_ reason: String) -> GatewayError {
        let path = HeaderText.printable(file.path).debugDescription
        return GatewayError(.configuration, "Cannot listen on the socket \(path): \(reason).")
    }
}
