// Identifiers such as `chatcmpl-4fGk…`: a prefix and random letters and digits.

import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Makes unguessable identifiers. 24 characters of base 62 hold 142 bits.
package enum RandomID {
    /// How many random characters an identifier has unless told otherwise.
    package static let defaultLength = 24

    /// An identifier from the system's random numbers, fetched in blocks because a system call for each would cost
    /// more than the rest.
    package static func make(prefix: StaticString, length: Int = defaultLength) -> String {
        var generator = EntropyPool()
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

    /// Appends an identifier from the system's random numbers.
    package static func append(prefix: StaticString, length: Int = defaultLength, to output: inout [UInt8]) {
        var generator = EntropyPool()
        let length = max(0, length)
        prefix.withBytes { output.append(contentsOf: $0) }
        withUnsafeTemporaryAllocation(byteCount: length, alignment: 1) { bytes in
            fill(bytes, using: &generator)
            output.append(contentsOf: UnsafeRawBufferPointer(bytes))
        }
    }

    private static let alphabet: StaticString = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

    /// Takes eight characters out of each random word, as digits of a base-62 fraction: the leftover 16 bits keep the
    /// bias below one in 65,000.
    private static func fill(_ bytes: UnsafeMutableRawBufferPointer, using generator: inout some RandomNumberGenerator) {
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

/// The system's random numbers in blocks of 32 words, shared by all threads.
private struct EntropyPool: RandomNumberGenerator {
    private struct Block {
        var words = [UInt64](repeating: 0, count: 32)
        var used = 32
    }

    private static let block = Mutex(Block())

    mutating func next() -> UInt64 {
        Self.block.withLock { block in
            if block.used == block.words.count {
                Self.refill(&block.words)
                block.used = 0
            }
            let word = block.words[block.used]
            // A word that was handed out does not stay in memory.
            block.words[block.used] = 0
            block.used += 1
            return word
        }
    }

    private static func refill(_ words: inout [UInt64]) {
        let isFilled = words.withUnsafeMutableBytes { bytes in
            #if canImport(Darwin)
                arc4random_buf(bytes.baseAddress, bytes.count)
                return true
            #else
                // 256 bytes are the most that one call gives.
                return getentropy(bytes.baseAddress, bytes.count) == 0
            #endif
        }
        guard !isFilled else { return }
        // The system call is not allowed here; the standard library has further sources.
        var system = SystemRandomNumberGenerator()
        for index in words.indices { words[index] = system.next() }
    }
}
