import CNghttp2

/// HPACK: the client's fields out of a block's bytes.
///
/// libnghttp2 knows the connection's table. Most blocks don't change it: they are fields that came before, and a path. What a
/// place in the table means is remembered from blocks that libnghttp2 read, until one changes the table; blocks of known
/// places and plain texts need not be read by it then. Whatever else a block has, libnghttp2 reads it, whole.
/// Source: RFC 7541.
final class HTTP2HeaderDecoder {
    private var inflater: OpaquePointer?
    /// By place in the table: what the field there says.
    private var known: [HTTP2Field?] = []
    private let words = HPACKText.words

    /// Places below it take one byte.
    private static let placesMax = 127
    /// A longer code is libnghttp2's to read.
    private static let codeBytesMax = 512

    init() {
        let made = nghttp2_hd_inflate_new(&inflater)
        precondition(made == 0, "libnghttp2 fails to make a decoder only without memory")
    }

    deinit { nghttp2_hd_inflate_del(inflater) }

    /// Reads a whole block. It must be read even if nobody wants it, or the tables of both sides differ from then on.
    ///
    /// - Parameter head: gets each field; once it is far too large, the connection is given up.
    /// - Throws: the error that ends the connection.
    func read(_ block: UnsafeRawBufferPointer, into head: inout HTTP2HeadReader) throws(HTTP2Code) {
        head.begin()
        if !known.isEmpty, readPlain(block, into: &head) { return }
        head.begin()
        try readAny(block, into: &head)
    }

    // MARK: By libnghttp2

    /// What `read` must be equal to, for every block.
    func readAny(_ block: UnsafeRawBufferPointer, into head: inout HTTP2HeadReader) throws(HTTP2Code) {
        var rest = block[...]
        var changesTable = false
        while true {
            var field = nghttp2_nv()
            var flags: Int32 = 0
            let here = UnsafeRawBufferPointer(rebasing: rest)
            let used = nghttp2_hd_inflate_hd2(
                inflater, &field, &flags, here.baseAddress?.assumingMemoryBound(to: UInt8.self), here.count, 1)
            guard used >= 0 else { throw .compression }
            rest = rest.dropFirst(used)
            if let first = here.first, Self.changesTable(first) { changesTable = true }
            if flags & Int32(NGHTTP2_HD_INFLATE_EMIT.rawValue) != 0 {
                let name = UnsafeRawBufferPointer(start: field.name, count: field.namelen)
                let value = UnsafeRawBufferPointer(start: field.value, count: field.valuelen)
                head.field(name, value)
                guard !head.isFarTooLarge else { throw .enhanceYourCalm }
                if let first = here.first, first & 0x80 != 0, head.isPlain, !head.namesClient(name) {
                    remember(first, name, value)
                }
            }
            if flags & Int32(NGHTTP2_HD_INFLATE_FINAL.rawValue) != 0 { break }
            guard used > 0 || flags & Int32(NGHTTP2_HD_INFLATE_EMIT.rawValue) != 0 else { throw .compression }
        }
        nghttp2_hd_inflate_end_headers(inflater)
        if changesTable { known = [] }
    }

    /// A field to be inserted, or a new size.
    private static func changesTable(_ first: UInt8) -> Bool { first & 0xC0 == 0x40 || first & 0xE0 == 0x20 }

    private func remember(_ first: UInt8, _ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
        let place = Int(first & 0x7F)
        guard place < Self.placesMax, let field = HTTP2Field(name, value) else { return }
        if known.isEmpty { known = Array(repeating: nil, count: Self.placesMax) }
        known[place] = field
    }

    // MARK: Plain blocks

    /// - Returns: false if the block has anything but known places and plain texts; the head is worth nothing then.
    private func readPlain(_ block: UnsafeRawBufferPointer, into head: inout HTTP2HeadReader) -> Bool {
        var place = 0
        while place < block.count {
            let first = block[place]
            place += 1
            if first & 0x80 != 0 {
                let index = Int(first & 0x7F)
                guard index < Self.placesMax, let field = known[index], head.field(field) else { return false }
            } else {
                guard !Self.changesTable(first), let name = Self.name(first, block, &place),
                    let (text, isCoded) = Self.text(block, &place), take(name, text, isCoded, &head)
                else { return false }
            }
        }
        return true
    }

    /// The names that come with a text of their own in nearly every request, by their place in the static table.
    private static func name(_ first: UInt8, _ block: UnsafeRawBufferPointer, _ place: inout Int) -> StaticString? {
        var index = Int(first & 0x0F)
        if index == 15 {
            guard place < block.count, block[place] < 0x80 else { return nil }
            index += Int(block[place])
            place += 1
        }
        switch index {
        case 4, 5: return ":path"
        case 23: return "authorization"
        case 41: return "if-none-match"
        default: return nil
        }
    }

    private static func text(
        _ block: UnsafeRawBufferPointer, _ place: inout Int
    ) -> (UnsafeRawBufferPointer, isCoded: Bool)? {
        guard place < block.count else { return nil }
        let first = block[place]
        var count = Int(first & 0x7F)
        place += 1
        if count == 127 {
            guard place < block.count, block[place] < 0x80 else { return nil }
            count += Int(block[place])
            place += 1
        }
        guard count <= block.count - place else { return nil }
        let text = UnsafeRawBufferPointer(rebasing: block[place..<place + count])
        place += count
        return (text, first & 0x80 != 0)
    }

    private func take(
        _ name: StaticString, _ text: UnsafeRawBufferPointer, _ isCoded: Bool, _ head: inout HTTP2HeadReader
    ) -> Bool {
        let name = UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
        guard isCoded else {
            head.field(name, text)
            return true
        }
        guard text.count <= Self.codeBytesMax else { return false }
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: HPACKText.bytesMax(text.count)) { space in
            guard let base = space.baseAddress, let count = HPACKText.decode(text, words, to: base) else {
                return false
            }
            head.field(name, UnsafeRawBufferPointer(start: base, count: count))
            return true
        }
    }
}
