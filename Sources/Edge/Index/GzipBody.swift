import CZlib
import NIOCore

/// Compresses a body once, for all clients that accept gzip.
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
}
