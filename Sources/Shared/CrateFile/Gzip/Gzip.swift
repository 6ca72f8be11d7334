import CZlib

/// Packs a stream as one gzip member; the same bytes and level give the same member, since no time stands in it.
package final class Gzip {
    private let sink: any ByteSink
    // zlib keeps the address of this struct and refuses to go on if it moves.
    private let stream: UnsafeMutablePointer<z_stream>
    private let output: UnsafeMutableRawBufferPointer

    /// - Parameter level: 0 (stored) to 9 (smallest); 6 is the usual compromise.
    package init(level: Int = 6, to sink: any ByteSink) throws(OutOfMemory) {
        precondition((0...9).contains(level), "zlib knows levels 0 to 9")
        self.sink = sink
        output = .allocate(byteCount: 64 << 10, alignment: 16)
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let windowBitsForGzip: Int32 = 15 + 16
        let outcome = deflateInit2_(
            stream, Int32(level), Z_DEFLATED, windowBitsForGzip, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        guard outcome == Z_OK else { throw OutOfMemory() }
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
        output.deallocate()
    }

    /// Packs `bytes`; what is ready goes to the sink. Throws what the sink throws.
    package func write(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes
        while !rest.isEmpty {
            let part = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30))
            try deflate(part, Z_NO_FLUSH)
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(part.count))
        }
    }

    /// Writes what is left and the checksum; nothing may be written afterwards.
    package func finish() throws {
        try deflate(UnsafeRawBufferPointer(start: nil, count: 0), Z_FINISH)
    }

    /// All of `bytes` as one member.
    package static func compress(_ bytes: [UInt8], level: Int = 6) throws -> [UInt8] {
        let sink = BytesSink()
        let gzip = try Gzip(level: level, to: sink)
        try bytes.withUnsafeBytes(gzip.write)
        try gzip.finish()
        return sink.bytes
    }

    private func deflate(_ part: UnsafeRawBufferPointer, _ flush: Int32) throws {
        stream.pointee.next_in = UnsafeMutablePointer(
            mutating: part.baseAddress?.assumingMemoryBound(to: UInt8.self))
        stream.pointee.avail_in = UInt32(part.count)
        repeat {
            stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
            stream.pointee.avail_out = UInt32(output.count)
            guard CZlib.deflate(stream, flush) != Z_STREAM_ERROR else {
                preconditionFailure("nothing is written to a gzip stream that was finished")
            }
            let count = output.count - Int(stream.pointee.avail_out)
            try sink.write(UnsafeRawBufferPointer(rebasing: output[..<count]))
        } while stream.pointee.avail_out == 0
    }
}
