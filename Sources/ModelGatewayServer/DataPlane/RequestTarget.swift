// The target of a request: which path it names, and which endpoint that is.

import ModelGateway

extension Endpoint {
    /// The endpoint of a request target, its query and an absolute form's authority left out.
    static func find(target: String) -> Endpoint? {
        // Nearly always the target is the path and nothing more.
        find(path: target) ?? find(path: RequestTarget.plainPath(of: target))
    }
}

/// The first line's target of an HTTP request.
enum RequestTarget {
    /// The path in the form that endpoints are compared in, as the router does: repeated slashes are one, and one at the
    /// end is none.
    static func plainPath(of target: String) -> String {
        let slash = UInt8(ascii: "/")
        var plain: [UInt8] = []
        for byte in path(of: target) where byte != slash || plain.last != slash { plain.append(byte) }
        if plain.count > 1, plain.last == slash { plain.removeLast() }
        return String(decoding: plain, as: UTF8.self)
    }

    /// The path without the query. From the absolute form, which every server has to take, scheme and authority are
    /// left out too.
    static func path(of target: String) -> Substring.UTF8View {
        let bytes = target.utf8
        let end = bytes.firstIndex(of: UInt8(ascii: "?")) ?? bytes.endIndex
        guard bytes.first != UInt8(ascii: "/") else { return target[..<end].utf8 }
        for scheme in ["http://", "https://"] where target.hasPrefix(scheme) {
            let authority = target[..<end].utf8.dropFirst(scheme.utf8.count)
            return authority[(authority.firstIndex(of: UInt8(ascii: "/")) ?? authority.endIndex)...]
        }
        return target[..<end].utf8
    }
}
