/// The 512 bytes before an entry's content.
///
/// | bytes     | field    | read as                                            |
/// |-----------|----------|----------------------------------------------------|
/// | 0..<100   | name     | up to the first NUL                                |
/// | 124..<136 | size     | octal, or base-256 if the highest bit is set       |
/// | 148..<156 | checksum | octal; sum of all bytes, these eight as spaces     |
/// | 156       | type     | see `TarEntry.Kind`                                |
/// | 257..<265 | magic    | POSIX, GNU or (any text but `ustar`) version 7     |
/// | 345..<500 | prefix   | POSIX only: stands before the name, with a slash   |
struct TarHeader {
    static let bytesCount = 512

    let name: [UInt8]
    let bytesCount: Int
    let typeFlag: UInt8

    /// - Parameter block: exactly 512 bytes, not all zero.
    init(_ block: ArraySlice<UInt8>) throws(Objection) {
        let block = Array(block)
        precondition(block.count == Self.bytesCount, "a header is one block")
        try Self.check(block)
        typeFlag = block[156]
        bytesCount = try Self.size(block[124..<136])
        name = try Self.prefix(block) + Self.text(block[0..<100])
    }

    private static func check(_ block: [UInt8]) throws(Objection) {
        let said = try octal(block[148..<156], "a header checksum")
        var sum = 8 * Int(UInt8(ascii: " "))
        for place in 0..<148 { sum += Int(block[place]) }
        for place in 156..<Self.bytesCount { sum += Int(block[place]) }
        guard said == sum else { throw .malformed("the checksum of a tar header is wrong") }
    }

    /// Empty, or with its slash.
    private static func prefix(_ block: [UInt8]) throws(Objection) -> [UInt8] {
        let magic = block[257..<265]
        if magic.elementsEqual(Array("ustar\u{0}00".utf8)) {
            let prefix = text(block[345..<500])
            return prefix.isEmpty ? [] : prefix + [UInt8(ascii: "/")]
        }
        // Programs differ in how they read a magic that is nearly right, and so would see different paths.
        guard magic.elementsEqual(Array("ustar  \u{0}".utf8)) || !magic.starts(with: Array("ustar".utf8)) else {
            throw .malformed("a tar header has an unknown magic")
        }
        return []
    }

    private static func size(_ field: ArraySlice<UInt8>) throws(Objection) -> Int {
        guard let first = field.first, first >= 0x80 else { return try octal(field, "a size") }
        // 0x80 marks a positive number in the rest of the field; 0xff would be a negative one.
        let digits = field.dropFirst().drop { $0 == 0 }
        guard first == 0x80, digits.count < MemoryLayout<Int>.size else {
            throw .malformed("a tar header has a size out of range")
        }
        return digits.reduce(0) { $0 << 8 | Int($1) }
    }

    private static func octal(_ field: ArraySlice<UInt8>, _ what: String) throws(Objection) -> Int {
        let isPadding = { (byte: UInt8) in byte == 0 || byte == UInt8(ascii: " ") }
        let digits = field.drop { $0 == UInt8(ascii: " ") }.prefix { !isPadding($0) }
        let isOctal = digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "7")).contains($0) }
        guard !digits.isEmpty, isOctal, field[digits.endIndex...].allSatisfy(isPadding) else {
            throw .malformed("\(what) in a tar header is not an octal number")
        }
        return digits.reduce(0) { $0 << 3 | Int($1 - UInt8(ascii: "0")) }
    }

    private static func text(_ field: ArraySlice<UInt8>) -> [UInt8] { Array(field.prefix { $0 != 0 }) }
}
