// References inside configuration values: to environment variables anywhere, to files where a secret is expected.

import GatewaySystem

/// Where the values of environment variables come from.
enum ConfigurationEnvironment: Sendable {
    case process
    case values([String: String])

    subscript(name: String) -> String? {
        switch self {
        case .process: ProcessEnvironment[name]
        case .values(let values): values[name]
        }
    }
}

/// `${env:NAME}`, `${env:NAME:-default}`, `os.environ/NAME` and `file:PATH`.
enum ConfigurationReference {
    struct Failure: Error {
        var message: String
    }

    /// The largest file that a secret is read from.
    static let secretFileLimit = 64 << 10

    /// References of other programs to stores of secrets that this library has no client for.
    private static let foreignStores = ["aws.secretsmanager/", "gcp.secretmanager/", "azure.keyvault/"]

    private static let opening = "${env:"
    private static let liteLLMPrefix = "os.environ/"

    /// Whether the text holds a reference to the environment.
    static func isIn(_ text: String) -> Bool { text.hasPrefix(liteLLMPrefix) || text.contains(opening) }

    /// Replaces all references to environment variables.
    static func resolve(_ text: String, _ environment: ConfigurationEnvironment) throws(Failure) -> String {
        if text.hasPrefix(liteLLMPrefix) {
            return try value(of: text.dropFirst(liteLLMPrefix.count), nil, environment)
        }
        if let store = foreignStores.first(where: { text.hasPrefix($0) }) {
            throw Failure(message: "'\(store)' is not supported; use '${env:NAME}' or 'file:PATH'")
        }
        guard text.contains(opening) else { return text }
        var result = ""
        var rest = text[...]
        while let start = firstRange(of: opening, in: rest) {
            result += rest[..<start.lowerBound]
            rest = rest[start.upperBound...]
            guard let end = rest.firstIndex(of: "}") else {
                throw Failure(message: "a reference that begins with '\(opening)' needs a closing '}'")
            }
            let inner = rest[..<end]
            if let separator = firstRange(of: ":-", in: inner) {
                result += try value(of: inner[..<separator.lowerBound], inner[separator.upperBound...], environment)
            } else {
                result += try value(of: inner, nil, environment)
            }
            rest = rest[rest.index(after: end)...]
        }
        return result + rest
    }

    /// The same for a secret, which may be in a file as well.
    static func resolveSecret(
        _ text: String,
        _ environment: ConfigurationEnvironment,
        directory: String
    ) throws(Failure) -> String {
        let text = try resolve(text, environment)
        guard text.hasPrefix("file:") else { return text }
        let path = String(text.dropFirst(5))
        guard !path.isEmpty else { throw Failure(message: "'file:' needs a path") }
        let absolute = path.hasPrefix("/") || directory.isEmpty ? path : "\(directory)/\(path)"
        let bytes: [UInt8]
        do {
            bytes = try ConfigurationFile.read(absolute, limit: secretFileLimit)
        } catch {
            throw Failure(message: "the secret cannot be read from the file '\(path)': \(error.message)")
        }
        guard let content = String(validating: bytes, as: UTF8.self) else {
            throw Failure(message: "the file '\(path)' is not UTF-8 text")
        }
        var secret = content[...]
        while let last = secret.last, last.isNewline { secret.removeLast() }
        guard !secret.isEmpty else { throw Failure(message: "the file '\(path)' is empty") }
        return String(secret)
    }

    private static func value(
        of name: Substring,
        _ fallback: Substring?,
        _ environment: ConfigurationEnvironment
    ) throws(Failure) -> String {
        guard isName(name) else {
            if let colon = name.firstIndex(of: ":"), isName(name[..<colon]) {
                let fixed = "\(opening)\(name[..<colon]):-…}"
                throw Failure(message: "a default follows the variable's name after ':-', as in '\(fixed)'")
            }
            throw Failure(message: "'\(name.prefix(60))' is not a valid name for an environment variable")
        }
        if let value = environment[String(name)], !value.isEmpty || fallback == nil { return value }
        if let fallback { return String(fallback) }
        throw Failure(message: "the environment variable \(name) is not set")
    }

    private static func isName(_ name: some StringProtocol) -> Bool {
        guard let first = name.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else {
            return false
        }
        return name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"): true
            default: false
            }
        }
    }

    private static func firstRange(of pattern: String, in text: Substring) -> Range<String.Index>? {
        text.firstRange(of: pattern)
    }
}
