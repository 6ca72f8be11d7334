import CZlib
import NIOCore

/// Compresses a body once, for all clients that accept gzip; expands what the origin has compressed.
enum GzipBody {
    /// Below this a packet is a packet, compressed or not.
    static let bytesMin = 512
    private static let level: Int32 = 6
    /// 15 bits of window, and 16 says "with a gzip header".
    private static let windowBits: Int32 = 15 + 16

    /// - Returns: nil if it would not pay, or zlib has no memory.
    static func compress(_ body: ByteBuffer) -> ByteBuffer? {
        guard body.readableBytes >= bytesMin else { return nil }
        var stream = z_stream()
        let size = Int32(MemoryLayout<z_stream>.size)
        guard
            deflateInit2_(
                &stream, level, Z_DEFLATED, windowBits, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, size) == Z_OK
        else { return nil }
        defer { deflateEnd(&stream) }
        // One pass into a buffer that is smaller than the body: if it does not fit, it does not pay.
        var output = ByteBuffer()
        var isDone = false
        output.writeWithUnsafeMutableBytes(minimumWritableBytes: body.readableBytes) { space in
            body.withUnsafeReadableBytes { input in
                stream.next_in = UnsafeMutablePointer(mutating: input.bindMemory(to: UInt8.self).baseAddress)
                stream.avail_in = UInt32(input.count)
                stream.next_out = space.bindMemory(to: UInt8.self).baseAddress
                stream.avail_out = UInt32(body.readableBytes)
                isDone = deflate(&stream, Z_FINISH) == Z_STREAM_END
                return body.readableBytes - Int(stream.avail_out)
            }
        }
        return isDone ? output : nil
    }

    /// - Parameter bytes: what it must expand to; nothing more is written.
    /// - Returns: nil if `member` is not one whole gzip member of exactly that length.
    static func expand(_ member: ByteBuffer, bytes: Int) -> ByteBuffer? {
        var stream = z_stream()
        guard inflateInit2_(&stream, windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            return nil
        }
        defer { inflateEnd(&stream) }
        var output = ByteBuffer()
        var isWhole = false
        // One byte of room more, or zlib could not say that an empty body ends.
        output.writeWithUnsafeMutableBytes(minimumWritableBytes: bytes + 1) { space in
            member.withUnsafeReadableBytes { input in
                stream.next_in = UnsafeMutablePointer(mutating: input.bindMemory(to: UInt8.self).baseAddress)
                stream.avail_in = UInt32(input.count)
                stream.next_out = space.bindMemory(to: UInt8.self).baseAddress
                stream.avail_out = UInt32(bytes + 1)
                isWhole = inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.avail_in == 0
                return bytes + 1 - Int(stream.avail_out)
            }
        }
        return isWhole && output.readableBytes == bytes ? output : nil
    }
}
