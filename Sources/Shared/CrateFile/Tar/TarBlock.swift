/// A header with its content, padded to whole blocks, as GNU tar writes it.
struct TarBlock {
    static let nameBytesMax = 100

    /// Header, body and padding.
    private(set) var bytes: [UInt8]

    init(_ entry: RawEntry) {
        bytes = [UInt8](repeating: 0, count: TarHeader.bytesCount)
        put(entry.path.prefix(Self.nameBytesMax), at: 0)
        put(octal(0o644, digits: 7), at: 100)
        put(octal(0, digits: 7), at: 108)
        put(octal(0, digits: 7), at: 116)
        put(entry.sizeField ?? Self.size(entry.declaredBytes ?? entry.body.count), at: 124)
        put(octal(CrateWriter.modificationTime, digits: 11), at: 136)
        put(Array("        ".utf8), at: 148)
        bytes[156] = entry.type.asciiValue ?? 0
        put(entry.linkTarget.utf8.prefix(Self.nameBytesMax), at: 157)
        put(entry.magic.prefix(8), at: 257)
        put(entry.prefix.utf8.prefix(155), at: 345)
        let sum = bytes.reduce(0) { $0 + Int($1) } + entry.checksumError
        put(octal(sum, digits: 6) + [0], at: 148)
        bytes += entry.body
        bytes += [UInt8](repeating: 0, count: Self.padded(entry.body.count) - entry.body.count)
    }

    /// `count` rounded up to whole blocks.
    static func padded(_ count: Int) -> Int {
        (count + TarHeader.bytesCount - 1) / TarHeader.bytesCount * TarHeader.bytesCount
    }

    /// Octal while eleven digits are enough, then base-256.
    static func size(_ count: Int) -> [UInt8] {
        if count < 1 << 33 { return octal(count, digits: 11) }
        return [0x80, 0, 0, 0] + (0..<8).map { UInt8(truncatingIfNeeded: count >> (56 - 8 * $0)) }
    }

    private mutating func put(_ part: some Collection<UInt8>, at place: Int) {
        bytes.replaceSubrange(place..<(place + part.count), with: part)
    }
}

private func octal(_ number: Int, digits: Int) -> [UInt8] {
    let text = String(number, radix: 8)
    return Array((String(repeating: "0", count: max(0, digits - text.utf8.count)) + text).utf8)
}
