// Which paths are calls of a model: what kind of work each asks for, in which format.

import ModelGateway

/// A path on which model calls are taken.
struct ModelEndpoint: Sendable {
    let path: String
    let mode: Mode
    let format: WireFormat

    /// All paths on which model calls are taken. Each of them takes `POST` only.
    static let all: [ModelEndpoint] = [
        ModelEndpoint(path: "/v1/chat/completions", mode: .chat, format: .openAI),
        ModelEndpoint(path: "/v1/completions", mode: .completion, format: .openAI),
        ModelEndpoint(path: "/v1/embeddings", mode: .embedding, format: .openAI),
    ]

    /// The endpoint of a request target, its query and an absolute form's authority left out.
    static func find(target: String) -> ModelEndpoint? {
        // Nearly always the target is the path and nothing more.
        if let endpoint = all.first(where: { $0.path == target }) { return endpoint }
        let path = RequestTarget.plainPath(of: target)
        return all.first { $0.path == path }
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
