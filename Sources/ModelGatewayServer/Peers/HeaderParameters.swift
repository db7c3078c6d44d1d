// Parameters of header values: `for=192.0.2.1;proto=https`, their values maybe in quotes.

import GatewayWire

enum HeaderParameters {
    /// The names, in lower case, and values of an element.
    static func read(_ element: String) -> [(name: String, value: String)] {
        split(element).compactMap { parameter in
            guard let sign = parameter.firstIndex(of: "=") else { return nil }
            let name = parameter[..<sign].lowercased().filter { $0 != " " && $0 != "\t" }
            let value = HTTPList.values(String(parameter[parameter.index(after: sign)...]))
            return (name, value.joined(separator: ","))
        }
    }

    /// Splits at the semicolons that are not in quotes.
    private static func split(_ element: String) -> [Substring] {
        var parts: [Substring] = []
        var start = element.startIndex
        var isQuoted = false
        var isEscaped = false
        for index in element.indices {
            let character = element[index]
            if isEscaped {
                isEscaped = false
            } else if character == "\\", isQuoted {
                isEscaped = true
            } else if character == "\"" {
                isQuoted.toggle()
            } else if character == ";", !isQuoted {
                parts.append(element[start..<index])
                start = element.index(after: index)
            }
        }
        return parts + [element[start...]]
    }
}
