// The server's side of TLS as it is at the moment: its certificates, replaced when their files change.

import Crypto
import GatewayWire
import Logging
import ModelGateway
import NIOCore
import NIOSSL
import Synchronization

/// The TLS of a server. Connections take what holds when they are accepted.
final class ServerCertificates: Sendable {
    private struct State {
        var tls: ServerTLSContext
        /// What the files had in them when they were looked at last, usable or not.
        var seen: [String: [UInt8]]
    }

    private let settings: Configuration.ServerTLS
    private let state: Lock<State>
    private let observer: (any RequestObserver)?
    private let logger: Logger

    /// Reads the files. Blocks meanwhile.
    /// - Throws: ``GatewayError/Code/configuration`` that names the file which cannot be used.
    init(
        _ settings: Configuration.ServerTLS,
        observer: (any RequestObserver)?,
        logger: Logger
    ) throws(GatewayError) {
        self.settings = settings
        self.observer = observer
        self.logger = logger
        let seen = Self.content(of: settings)
        let tls = try ServerTLSContext(settings)
        state = Lock(State(tls: tls, seen: seen))
        report(tls)
    }

    /// What a new connection is made secure with.
    var current: NIOSSLContext { state.withLock { $0.tls.context } }

    private func report(_ tls: ServerTLSContext) {
        for (name, time) in tls.expiries { observer?.certificateLoaded(name, expiresAt: time) }
    }

    /// Looks at the files, and takes them over if they have changed and can be used. Blocks meanwhile.
    func reload() {
        let content = Self.content(of: settings)
        let isNew = state.withLock { state in
            defer { state.seen = content }
            return state.seen != content
        }
        guard isNew else { return }
        do throws(GatewayError) {
            let tls = try ServerTLSContext(settings)
            state.withLock { $0.tls = tls }
            report(tls)
            logger.notice("The certificates have changed; new connections use the new ones.")
        } catch {
            logger.warning(
                "The certificates have changed and cannot be used; the server keeps the current ones.",
                metadata: ["reason": "\(error.message)"]
            )
        }
    }

    private static func content(of settings: Configuration.ServerTLS) -> [String: [UInt8]] {
        var files = [settings.certificateFile, settings.keyFile]
        if let file = settings.clientCAFile { files.append(file) }
        for certificate in settings.sni { files += [certificate.certificateFile, certificate.keyFile] }
        var content: [String: [UInt8]] = [:]
        for file in files {
            guard let bytes = try? CertificateFile(file, "file").read() else { continue }
            // A key need not stay in memory for that.
            content[file] = Array(SHA256.hash(data: bytes))
        }
        return content
    }
}
