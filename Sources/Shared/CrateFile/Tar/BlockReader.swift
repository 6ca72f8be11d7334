/// Hands a stream out in pieces, from one buffer of 64 KiB.
struct BlockReader<Source: ByteSource> {
    private var source: Source
    private var buffer = [UInt8](repeating: 0, count: 64 << 10)
    private var unread = 0..<0

    init(_ source: Source) { self.source = source }

    /// - Returns: 1...`bytesMax` bytes.
    /// - Throws: `Objection.malformed` if the stream has ended.
    mutating func take(atMost bytesMax: Int) throws -> ArraySlice<UInt8> {
        if unread.isEmpty { try refill() }
        guard !unread.isEmpty else { throw Objection.malformed("the tar archive ends in the middle") }
        let part = unread.prefix(bytesMax)
        unread = part.endIndex..<unread.endIndex
        return buffer[part]
    }

    /// - Returns: exactly 512 bytes.
    /// - Throws: `Objection.malformed` if the stream ends before.
    mutating func takeBlock() throws -> ArraySlice<UInt8> {
        if unread.count >= TarHeader.bytesCount { return try take(atMost: TarHeader.bytesCount) }
        var block: [UInt8] = []
        while block.count < TarHeader.bytesCount {
            block += try take(atMost: TarHeader.bytesCount - block.count)
        }
        return block[...]
    }

    /// - Returns: nil at the end of the stream.
    mutating func takeAny() throws -> ArraySlice<UInt8>? {
        if unread.isEmpty { try refill() }
        return unread.isEmpty ? nil : try take(atMost: unread.count)
    }

    private mutating func refill() throws {
        // The source stands beside the buffer in one struct, and a closure may not borrow both at once.
        var source = source
        let count = try buffer.withUnsafeMutableBytes { try source.read(into: $0) }
        self.source = source
        unread = 0..<count
    }
}
