// Test support: a tree parser on the scanner's pull interface, and random JSON texts.

import Foundation
import GatewayWire

indirect enum JSONTree {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSONTree])
    case object([(String, JSONTree)])

    static func parse(_ bytes: UnsafeRawBufferPointer) throws(JSONError) -> JSONTree {
        var scanner = JSONScanner(bytes)
        let tree = try parse(&scanner)
        try scanner.finish()
        return tree
    }

    private static func parse(_ scanner: inout JSONScanner) throws(JSONError) -> JSONTree {
        switch try scanner.peekKind() {
        case .object:
            var members: [(String, JSONTree)] = []
            try scanner.beginObject()
            while let key = try scanner.nextMember() {
                members.append((key.string(in: scanner.bytes) ?? "", try parse(&scanner)))
            }
            return .object(members)
        case .array:
            var elements: [JSONTree] = []
            try scanner.beginArray()
            while try scanner.nextElement() { elements.append(try parse(&scanner)) }
            return .array(elements)
        case .string: return .string(try scanner.nextValue().string(in: scanner.bytes) ?? "")
        case .number: return .number(try scanner.nextValue().double(in: scanner.bytes) ?? .nan)
        case .true, .false: return .bool(try scanner.nextValue().bool ?? false)
        case .null:
            try scanner.skipValue()
            return .null
        }
    }

    func isEqual(to other: Any) -> Bool {
        switch self {
        case .null: return other is NSNull
        case .bool(let value): return (other as? NSNumber)?.boolValue == value
        // Foundation keeps some numbers as decimals, whose conversion to a double is not always the nearest one.
        case .number(let value): return (other as? NSNumber).flatMap { Double("\($0)") } == value
        case .string(let value): return (other as? String).map { Array($0.utf8) == Array(value.utf8) } ?? false
        case .array(let elements):
            guard let others = other as? [Any], others.count == elements.count else { return false }
            return zip(elements, others).allSatisfy { $0.isEqual(to: $1) }
        case .object(let members):
            guard let others = other as? [String: Any], others.count == members.count else { return false }
            return members.allSatisfy { key, value in others[key].map { value.isEqual(to: $0) } ?? false }
        }
    }
}

enum RandomJSON {
    static func value(depth: Int = 4, using generator: inout SeededGenerator) -> String {
        switch Int.random(in: 0..<(depth > 0 ? 8 : 5), using: &generator) {
        case 0: return ["true", "false", "null"].randomElement(using: &generator) ?? "null"
        case 1: return number(using: &generator)
        case 2, 3, 4: return string(using: &generator)
        case 5:
            let elements = (0..<Int.random(in: 0..<5, using: &generator)).map { _ in
                value(depth: depth - 1, using: &generator)
            }
            return "[" + elements.joined(separator: gap(",", using: &generator)) + "]"
        default: return object(depth: depth, using: &generator)
        }
    }

    static func object(depth: Int = 3, using generator: inout SeededGenerator) -> String {
        let members = (0..<Int.random(in: 0..<6, using: &generator)).map { index in
            "\"k\(index)\"" + gap(":", using: &generator) + value(depth: depth - 1, using: &generator)
        }
        let space = Bool.random(using: &generator) ? " " : ""
        return "{" + space + members.joined(separator: gap(",", using: &generator)) + space + "}"
    }

    private static func gap(_ mark: String, using generator: inout SeededGenerator) -> String {
        [mark, mark, mark + " ", " \(mark)\n"].randomElement(using: &generator) ?? mark
    }

    private static func number(using generator: inout SeededGenerator) -> String {
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: return String(Int.random(in: -1_000...1_000, using: &generator))
        case 1: return String(Double.random(in: -1...1, using: &generator))
        case 2: return "\(Int.random(in: 0...9, using: &generator)).50E\(Int.random(in: -30...30, using: &generator))"
        default: return "1.0"
        }
    }

    private static func string(using generator: inout SeededGenerator) -> String {
        let pieces = [
            "a", "hello world", "\\n", "\\\"", "\\\\", "\\/", "\\u00e9", "\\ud83d\\ude00", "é", "日本", "😀", "\u{7F}",
            "x:y,z",
            "{[", "\\t", "0123456789abcdef",
        ]
        let text = (0..<Int.random(in: 0..<6, using: &generator)).map { _ in
            pieces.randomElement(using: &generator) ?? ""
        }
        return "\"" + text.joined() + "\""
    }
}
