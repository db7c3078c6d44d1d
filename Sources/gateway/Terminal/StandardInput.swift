// Standard input: all of it when it is piped, line by line when a person types.

import Dispatch
import GatewaySystem

/// The process's input stream.
struct StandardInput: Sendable {
    /// The largest text that is read from a pipe.
    static let limit = 64 << 20

    /// How long a text may take to begin that a command can do without.
    private static let patience = Duration.seconds(2)

    private let queue = DispatchQueue(label: "gateway.stream.0")

    /// Whether a person is likely to be typing.
    var isTerminal: Bool { StreamDescriptor.standardInput.isTerminal }

    /// The whole of a pipe or a file, as text.
    func readAll() async throws(CommandFailure) -> String {
        let result = await queue.perform { () -> Result<[UInt8], CommandFailure> in
            var bytes: [UInt8] = []
            while true {
                switch Self.readSome() {
                case .success(let some):
                    if some.isEmpty { return .success(bytes) }
                    bytes += some
                    guard bytes.count <= Self.limit else {
                        return .failure(CommandFailure(.badData, "standard input is larger than 64 MiB"))
                    }
                case .failure(let failure): return .failure(failure)
                }
            }
        }
        guard let text = String(validating: try result.get(), as: UTF8.self) else {
            throw CommandFailure(.badData, "standard input is not text in UTF-8")
        }
        return text
    }

    /// The whole of a pipe or a file, if it begins soon. A pipe that a program was merely started with may have nobody who
    /// writes to it or closes it; then a word on standard error says that nothing was read.
    func readIfItComes() async throws(CommandFailure) -> String {
        guard await queue.perform({ StreamDescriptor.standardInput.hasInput(within: Self.patience) }) else {
            StandardStream.error.writeNow(
                "gateway: nothing arrived on standard input within \(Self.patience.components.seconds) s, so it is "
                    + "ignored; use </dev/null to skip the wait\n"
            )
            return ""
        }
        return try await readAll()
    }

    /// What a person types, as soon as there is anything; empty or nil at the end of the input.
    func readKeys() async -> [UInt8]? {
        await queue.perform { try? Self.readSome().get() }
    }

    /// The next line without its end, or nil at the end of the input (Ctrl-D). What is not UTF-8 is replaced.
    func readLine() async -> String? {
        await queue.perform { Swift.readLine(strippingNewline: true) }
    }

    private static func readSome() -> Result<[UInt8], CommandFailure> {
        do throws(SystemError) {
            return .success(try StreamDescriptor.standardInput.read())
        } catch .badDescriptor {
            // A closed standard input has nothing to say.
            return .success([])
        } catch {
            return .failure(CommandFailure(.noInput, "cannot read standard input: \(error)"))
        }
    }
}
