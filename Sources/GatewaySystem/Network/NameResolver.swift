// Asks the system's resolver for the addresses and the services of a name. Blocks.

import CGatewaySystem

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Name resolution by the system, with its hosts file, search domains and caches.
package enum NameResolver {
    /// Why a name could not be resolved, in the system's words.
    package struct Failure: Error {
        package let reason: String
    }

    /// The IPv4 and IPv6 addresses of a host, each once, as they stand in a URL.
    package static func addresses(of host: String) throws(Failure) -> [String] {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        #if canImport(Glibc)
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        #else
        hints.ai_socktype = SOCK_STREAM
        #endif
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, nil, &hints, &list)
        guard status == 0 else { throw Failure(reason: String(cString: gai_strerror(status))) }
        defer { freeaddrinfo(list) }
        var addresses: [String] = []
        var next = list
        while let entry = next {
            next = entry.pointee.ai_next
            guard let text = text(of: entry.pointee), !addresses.contains(text) else { continue }
            addresses.append(text)
        }
        return addresses
    }

    /// The message that answers the question for the SRV records of a name.
    package static func serviceRecords(of name: String) throws(Failure) -> [UInt8] {
        // The largest message over TCP.
        var answer = [UInt8](repeating: 0, count: 65_535)
        let length = cgateway_resolve(name, cgateway_type_srv, &answer, Int32(answer.count))
        guard length > 0 else { throw Failure(reason: String(cString: cgateway_resolver_error())) }
        return Array(answer.prefix(Int(length)))
    }

    private static func text(of entry: addrinfo) -> String? {
        var buffer = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let status = getnameinfo(
            entry.ai_addr,
            entry.ai_addrlen,
            &buffer,
            socklen_t(buffer.count),
            nil,
            0,
            NI_NUMERICHOST
        )
        guard status == 0 else { return nil }
        let text = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // A link-local address means nothing without its interface, which a URL has no place for.
        if text.utf8.contains(UInt8(ascii: "%")) { return nil }
        return entry.ai_family == AF_INET6 ? "[\(text)]" : text
    }
}
