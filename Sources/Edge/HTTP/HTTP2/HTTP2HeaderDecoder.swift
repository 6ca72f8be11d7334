import CNghttp2

/// HPACK, as libnghttp2 reads it: the client's fields out of a block's bytes.
final class HTTP2HeaderDecoder {
    private var inflater: OpaquePointer?

    init() {
        let made = nghttp2_hd_inflate_new(&inflater)
        precondition(made == 0, "libnghttp2 fails to make a decoder only without memory")
    }

    deinit { nghttp2_hd_inflate_del(inflater) }

    /// Reads a whole block. It must be read even if nobody wants it, or the tables of both sides differ from then on.
    ///
    /// - Parameter take: gets each field; says false to give up on the connection.
    /// - Throws: the error that ends the connection.
    func read(
        _ block: UnsafeRawBufferPointer, _ take: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Bool
    ) throws(HTTP2Code) {
        var rest = block[...]
        while true {
            var field = nghttp2_nv()
            var flags: Int32 = 0
            let here = UnsafeRawBufferPointer(rebasing: rest)
            let used = nghttp2_hd_inflate_hd2(
                inflater, &field, &flags, here.baseAddress?.assumingMemoryBound(to: UInt8.self), here.count, 1)
            guard used >= 0 else { throw .compression }
            rest = rest.dropFirst(used)
            if flags & Int32(NGHTTP2_HD_INFLATE_EMIT.rawValue) != 0 {
                let isWanted = take(
                    UnsafeRawBufferPointer(start: field.name, count: field.namelen),
                    UnsafeRawBufferPointer(start: field.value, count: field.valuelen))
                guard isWanted else { throw .enhanceYourCalm }
            }
            if flags & Int32(NGHTTP2_HD_INFLATE_FINAL.rawValue) != 0 { break }
            guard used > 0 || flags & Int32(NGHTTP2_HD_INFLATE_EMIT.rawValue) != 0 else { throw .compression }
        }
        nghttp2_hd_inflate_end_headers(inflater)
    }
}
