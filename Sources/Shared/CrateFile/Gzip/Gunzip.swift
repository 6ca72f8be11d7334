import CZlib

/// Unpacks one gzip member while it is read, in constant memory (about 110 KiB).
///
/// Stricter than `gunzip`, because two programs must never see different files in one archive: a second member or
/// any other byte behind the first is refused, and the checksum and length at the end of the member must be right.
package final class Gunzip<Source: ByteSource>: ByteSource {
    package let unpackedBytesMax: Int
    /// What was unpacked up to now.
    package private(set) var unpackedBytes = 0

    private var source: Source
    private var hasEnded = false
    private var hasInput = false
    // zlib keeps the address of this struct and refuses to go on if it moves.
    private let stream: UnsafeMutablePointer<z_stream>
    private let input: UnsafeMutableRawBufferPointer

    /// - Parameter unpackedBytesMax: one byte more is refused as `tooLargeUnpacked`.
    package init(_ source: Source, unpackedBytesMax: Int) throws(OutOfMemory) {
        self.source = source
        self.unpackedBytesMax = unpackedBytesMax
        input = .allocate(byteCount: 64 << 10, alignment: 16)
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let windowBitsForGzipOnly: Int32 = 15 + 16
        let outcome = inflateInit2_(
            stream, windowBitsForGzipOnly, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard outcome == Z_OK else { throw OutOfMemory() }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
        input.deallocate()
    }

    /// - Throws: `Objection` for what is wrong with the member, or what `source` throws.
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        while !hasEnded {
            if stream.pointee.avail_in == 0 { try refill() }
            let count = try inflate(into: buffer)
            if count > 0 { return count }
        }
        return 0
    }

    private func refill() throws {
        let count = try source.read(into: input)
        guard count > 0 else { throw hasInput ? Objection.cut : Objection.notGzip }
        hasInput = true
        stream.pointee.next_in = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_in = UInt32(count)
    }

    private func inflate(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let room = min(buffer.count, 1 << 30)
        stream.pointee.next_out = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = UInt32(room)
        let outcome = CZlib.inflate(stream, Z_NO_FLUSH)
        let count = room - Int(stream.pointee.avail_out)
        unpackedBytes += count
        guard unpackedBytes <= unpackedBytesMax else { throw Objection.tooLargeUnpacked(bytesMax: unpackedBytesMax) }

        switch outcome {
        case Z_OK, Z_BUF_ERROR:
            return count
        case Z_STREAM_END:
            hasEnded = true
            try refuseMore()
            return count
        case Z_MEM_ERROR:
            throw OutOfMemory()
        default:
            throw objection
        }
    }

    private func refuseMore() throws {
        guard stream.pointee.avail_in == 0, try source.read(into: input) == 0 else { throw Objection.trailingBytes }
    }

    private var objection: Objection {
        let cause = stream.pointee.msg.map { String(cString: $0) } ?? "invalid data"
        return cause == "incorrect header check" ? .notGzip : .damaged(cause)
    }
}

/// zlib could not get memory; a retry may help.
package struct OutOfMemory: Error, CustomStringConvertible {
    package var description: String { "not enough memory to unpack or pack a gzip stream" }
}
