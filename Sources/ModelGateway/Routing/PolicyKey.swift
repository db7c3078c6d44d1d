// One key of a policy in a configuration: what it accepts, and which option it sets.

/// A key that a configuration may set in a policy's table: what it accepts, and which of the policy's options it sets.
/// The default is the one of the options' plain initializer.
public struct PolicyKey<Options: PolicyOptions>: Sendable {
    /// Where in the options a key's value goes.
    public typealias Path<Value> = any (WritableKeyPath<Options, Value> & Sendable)

    package enum Value: Sendable {
        case boolean(Path<Bool>)
        case integer(Path<Int>, ClosedRange<Int>)
        case size(Path<Int>, ClosedRange<Int>)
        case number(Path<Double>, ClosedRange<Double>)
        case duration(Path<Duration>, ClosedRange<Duration>)
        case text(Path<String>)
        case integers(Path<[Int]>, ClosedRange<Int>)
        case choice([String], get: @Sendable (Options) -> String, set: @Sendable (inout Options, String) -> Void)
    }

    package let name: String
    package let value: Value
    /// What it means, in a few words.
    package let summary: String

    /// True or false.
    /// - Parameters:
    ///   - name: The key, in lower case with underscores.
    ///   - path: The option that it sets.
    ///   - summary: What it means, in a few words, for the reference.
    public static func boolean(_ name: String, _ path: Path<Bool>, _ summary: String) -> PolicyKey {
        PolicyKey(name: name, value: .boolean(path), summary: summary)
    }

    /// An integer in a range.
    public static func integer(
        _ name: String,
        _ path: Path<Int>,
        in range: ClosedRange<Int>,
        _ summary: String
    ) -> PolicyKey {
        PolicyKey(name: name, value: .integer(path, range), summary: summary)
    }

    /// A number of bytes, such as `16MiB`.
    public static func size(
        _ name: String,
        _ path: Path<Int>,
        in range: ClosedRange<Int>,
        _ summary: String
    ) -> PolicyKey {
        PolicyKey(name: name, value: .size(path, range), summary: summary)
    }

    /// A number in a range.
    public static func number(
        _ name: String,
        _ path: Path<Double>,
        in range: ClosedRange<Double>,
        _ summary: String
    ) -> PolicyKey {
        PolicyKey(name: name, value: .number(path, range), summary: summary)
    }

    /// A length of time, such as `250ms`.
    public static func duration(
        _ name: String,
        _ path: Path<Duration>,
        in range: ClosedRange<Duration>,
        _ summary: String
    ) -> PolicyKey {
        PolicyKey(name: name, value: .duration(path, range), summary: summary)
    }

    /// Text.
    public static func text(_ name: String, _ path: Path<String>, _ summary: String) -> PolicyKey {
        PolicyKey(name: name, value: .text(path), summary: summary)
    }

    /// A list of integers, each in a range.
    public static func integers(
        _ name: String,
        _ path: Path<[Int]>,
        in range: ClosedRange<Int>,
        _ summary: String
    ) -> PolicyKey {
        PolicyKey(name: name, value: .integers(path, range), summary: summary)
    }

    /// One of the words that a type's cases stand for.
    public static func choice<Choice: RawRepresentable<String> & CaseIterable & Sendable>(
        _ name: String,
        _ path: Path<Choice>,
        _ summary: String
    ) -> PolicyKey {
        let value = Value.choice(
            Choice.allCases.map(\.rawValue),
            get: { $0[keyPath: path].rawValue },
            set: { options, word in
                if let choice = Choice(rawValue: word) { options[keyPath: path] = choice }
            }
        )
        return PolicyKey(name: name, value: value, summary: summary)
    }
}
