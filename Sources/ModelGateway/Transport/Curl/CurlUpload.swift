// A request body on its way to libcurl that is too big or too slow to be handed over in one piece.

/// The part of a request body that libcurl has yet to read. Used only on the loop's thread.
struct CurlUpload {
    /// Up to this size, libcurl gets a copy and sends head and body in one write.
    static let inlineLimit = 256 * 1024

    /// Where further bytes come from; nil if `bytes` is all there is.
    let source: (any ByteStream)?
    /// The announced length; nil means chunked.
    let length: Int?
    /// The bytes at hand.
    private(set) var bytes: [UInt8]
    private(set) var offset = 0
    private(set) var total = 0
    /// The source has ended.
    private(set) var isComplete: Bool
    /// The source has been asked and has not answered yet.
    var isAsking = false
    /// libcurl was told to wait for more.
    var isPaused = false
    /// The task that asks the source.
    var task: Task<Void, Never>?

    init(bytes: [UInt8]) {
        source = nil
        length = bytes.count
        self.bytes = bytes
        isComplete = true
    }

    init(source: any ByteStream, length: Int?) {
        self.source = source
        self.length = length
        bytes = []
        isComplete = false
    }

    /// Bytes at hand that libcurl has not read yet.
    var available: Int { bytes.count - offset }

    /// Whether the source has kept to the announced length so far.
    var fitsLength: Bool {
        guard let length else { return true }
        return isComplete ? total + available == length : total + available <= length
    }

    /// Copies what fits. Returns how much that was.
    mutating func read(into target: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(available, target.count)
        bytes.withUnsafeBytes { bytes in
            target.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + count)]))
        }
        offset += count
        total += count
        return count
    }

    /// Takes the source's answer: bytes, or nil at its end.
    mutating func offer(_ more: [UInt8]?) {
        isAsking = false
        task = nil
        offset = 0
        bytes = more ?? []
        if more == nil { isComplete = true }
    }

    /// Goes back to the start, for a retry on another connection. Only possible while all bytes are still at hand.
    mutating func rewind() -> Bool {
        guard source == nil || total == 0 else { return false }
        if source == nil {
            offset = 0
            total = 0
        }
        return true
    }
}
