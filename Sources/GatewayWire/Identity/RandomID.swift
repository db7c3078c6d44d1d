// Identifiers such as `chatcmpl-4fGk…`: a prefix and random letters and digits.

import Synchronization

/// Makes unguessable identifiers. 24 characters of base 62 hold 142 bits.
package enum RandomID {
    /// How many random characters an identifier has unless told otherwise.
    package static let defaultLength = 24

    /// An identifier that nobody outside the process can predict. No system call: the system's random numbers are
    /// asked once, for a key.
    package static func make(prefix: StaticString, length: Int = defaultLength) -> String {
        var generator = SecretSequence()
        return make(prefix: prefix, length: length, using: &generator)
    }

    /// An identifier from the given generator.
    package static func make(
        prefix: StaticString,
        length: Int = defaultLength,
        using generator: inout some RandomNumberGenerator
    ) -> String {
        let length = max(0, length)
        let prefixCount = prefix.utf8CodeUnitCount
        return String(unsafeUninitializedCapacity: prefixCount + length) { target in
            let bytes = UnsafeMutableRawBufferPointer(target)
            prefix.withBytes { bytes.copyMemory(from: $0) }
            fill(UnsafeMutableRawBufferPointer(rebasing: bytes[prefixCount..<prefixCount + length]), using: &generator)
            return prefixCount + length
        }
    }

    private static let alphabet: StaticString = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

    /// Takes eight characters out of each random word, as digits of a base-62 fraction: the leftover 16 bits keep the
    /// bias below one in 65,000.
    private static func fill(_ bytes: UnsafeMutableRawBufferPointer, using generator: inout some RandomNumberGenerator)
    {
        var index = 0
        while index < bytes.count {
            var fraction = generator.next()
            let end = min(index + 8, bytes.count)
            while index < end {
                let (digit, rest) = fraction.multipliedFullWidth(by: 62)
                fraction = rest
                bytes[index] = alphabet.utf8Start[Int(digit)]
                index += 1
            }
        }
    }
}

/// Unpredictable words for all threads without a lock: SipHash-2-4 of a counter under a key that the system's random
/// numbers give once per process.
private struct SecretSequence: RandomNumberGenerator {
    private static let processKey: SipKey = {
        var system = SystemRandomNumberGenerator()
        return SipKey(system.next(), system.next())
    }()

    private static let counter = Atomic<UInt64>(0)

    /// A copy: the thread sanitizer reports values without any storage, several of which may have one address.
    private let key = processKey

    mutating func next() -> UInt64 {
        key.hash(Self.counter.wrappingAdd(1, ordering: .relaxed).oldValue)
    }
}
