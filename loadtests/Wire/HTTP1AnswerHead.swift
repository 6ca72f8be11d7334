#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// The head of an answer, as far as it says where the answer ends.
struct HTTP1AnswerHead {
    typealias Garbled = HTTP1AnswerReader.Garbled

    private(set) var status = 0
    private(set) var length: Int?
    private(set) var isChunked = false
    private(set) var keepsAlive = true

    /// - Parameter max: bytes of the whole head.
    /// - Returns: its length with the empty line; nil while it is not whole.
    mutating func read(
        _ bytes: UnsafeRawBufferPointer, max: Int, _ began: (Int) -> Void,
        _ field: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Void
    ) throws(Garbled) -> Int? {
        guard let whole = Self.end(of: bytes, max: max) else {
            guard bytes.count < max else { throw Garbled("the head is too large") }
            return nil
        }
        var start = 0
        var isFirst = true
        while start < whole - 2 {
            let line = try Self.line(bytes, from: start, to: whole)
            if isFirst {
                try readStatus(line)
                began(status)
            } else {
                try readField(line, field)
            }
            isFirst = false
            start += line.count + 2
        }
        guard !isFirst else { throw Garbled("an answer begins with an empty line") }
        return whole
    }

    /// Behind the first empty line, whatever ends it: a bare LF is found by who reads the lines.
    private static func end(of bytes: UnsafeRawBufferPointer, max: Int) -> Int? {
        guard let base = bytes.baseAddress else { return nil }
        let count = min(bytes.count, max)
        var start = 0
        while start < count, let found = memchr(base + start, 10, count - start) {
            let next = base.distance(to: UnsafeRawPointer(found)) + 1
            if next < count, bytes[next] == 10 { return next + 1 }
            if next + 1 < count, bytes[next] == 13, bytes[next + 1] == 10 { return next + 2 }
            start = next
        }
        return nil
    }

    private static func line(
        _ bytes: UnsafeRawBufferPointer, from start: Int, to end: Int
    ) throws(Garbled) -> UnsafeRawBufferPointer {
        guard let base = bytes.baseAddress, let found = memchr(base + start, 10, end - start) else {
            throw Garbled("a line has no end")
        }
        let line = UnsafeRawBufferPointer(rebasing: bytes[start..<base.distance(to: UnsafeRawPointer(found))])
        guard line.last == 13 else { throw Garbled("a line ends in a bare LF") }
        let text = UnsafeRawBufferPointer(rebasing: line.dropLast())
        guard let start = text.baseAddress, memchr(start, 13, text.count) == nil, memchr(start, 0, text.count) == nil
        else { throw Garbled("a line holds CR or NUL") }
        return text
    }

    /// `HTTP/1.1 200 OK`
    private mutating func readStatus(_ line: UnsafeRawBufferPointer) throws(Garbled) {
        let hasVersion = line.starts(with: "HTTP/1.1 ".utf8)
        guard line.count >= 12, hasVersion || line.starts(with: "HTTP/1.0 ".utf8), line.count == 12 || line[12] == 32
        else { throw Garbled("no status line") }
        for byte in line[9..<12] {
            guard (48...57).contains(byte) else { throw Garbled("no status line") }
            status = status * 10 + Int(byte) - 48
        }
        guard (100...599).contains(status) else { throw Garbled("no status line") }
        keepsAlive = hasVersion
    }

    private mutating func readField(
        _ line: UnsafeRawBufferPointer, _ field: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Void
    ) throws(Garbled) {
        // A blank at the front would be a folded line, and before the colon a name that others read differently.
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > 0,
            line[..<colon].allSatisfy({ $0 > 32 && $0 < 127 })
        else { throw Garbled("a field has no name") }
        let name = UnsafeRawBufferPointer(rebasing: line[..<colon])
        let value = UnsafeRawBufferPointer(rebasing: line[(colon + 1)...]).trimmed
        switch name.count {
        case 14 where name.isField("content-length"): try readLength(value)
        case 17 where name.isField("transfer-encoding"):
            guard value.isField("chunked"), !isChunked else { throw Garbled("an unknown transfer-encoding") }
            isChunked = true
        case 10 where name.isField("connection"):
            if value.isField("close") { keepsAlive = false }
            if value.isField("keep-alive") { keepsAlive = true }
        default: break
        }
        field(name, value)
    }

    private mutating func readLength(_ value: UnsafeRawBufferPointer) throws(Garbled) {
        guard (1...18).contains(value.count), value.allSatisfy({ (48...57).contains($0) }) else {
            throw Garbled("content-length is no number")
        }
        let number = value.reduce(0) { $0 * 10 + Int($1) - 48 }
        guard length == nil || length == number else { throw Garbled("two lengths") }
        length = number
    }
}

extension UnsafeRawBufferPointer {
    /// Without blanks and tabs around it.
    fileprivate var trimmed: UnsafeRawBufferPointer {
        let isBlank = { (byte: UInt8) in byte == 32 || byte == 9 }
        guard let first = firstIndex(where: { !isBlank($0) }), let last = lastIndex(where: { !isBlank($0) }) else {
            return UnsafeRawBufferPointer(rebasing: self[0..<0])
        }
        return UnsafeRawBufferPointer(rebasing: self[first...last])
    }

    /// Equal to `text`, which is in lower case, but for the case of ASCII letters.
    func isField(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        for (place, byte) in enumerated() {
            let lower = (65...90).contains(byte) ? byte | 0x20 : byte
            guard lower == text.utf8Start[place] else { return false }
        }
        return true
    }
}
