/// Reads bytes into a `JSONValue`; one pass, no more nesting than `JSONValue.depthMax`.
struct JSONReader {
    private let bytes: [UInt8]
    private var place = 0
    private var depth = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func document() throws(JSONValue.Invalid) -> JSONValue {
        skipSpace()
        let value = try self.value()
        skipSpace()
        guard place == bytes.count else { throw failure(.trailingText) }
        return value
    }

    private mutating func value() throws(JSONValue.Invalid) -> JSONValue {
        switch try peek() {
        case UInt8(ascii: "{"): return .object(try nested { reader throws(JSONValue.Invalid) in try reader.object() })
        case UInt8(ascii: "["): return .array(try nested { reader throws(JSONValue.Invalid) in try reader.array() })
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return .number(try number())
        }
    }

    private mutating func nested<Value>(
        _ read: (inout Self) throws(JSONValue.Invalid) -> Value
    ) throws(JSONValue.Invalid) -> Value {
        guard depth < JSONValue.depthMax else { throw failure(.tooDeep) }
        depth += 1
        place += 1
        let value = try read(&self)
        depth -= 1
        return value
    }

    private mutating func object() throws(JSONValue.Invalid) -> JSONObject {
        var members: [JSONObject.Member] = []
        let start = place
        try list(until: UInt8(ascii: "}")) { reader throws(JSONValue.Invalid) in
            guard try reader.peek() == UInt8(ascii: "\"") else { throw reader.failure(.unexpectedByte) }
            let key = try reader.string()
            reader.skipSpace()
            try reader.expect(UInt8(ascii: ":"))
            reader.skipSpace()
            members.append(JSONObject.Member(key: key, value: try reader.value()))
        }
        do {
            return try JSONObject(members)
        } catch {
            throw JSONValue.Invalid(reason: .repeatedKey(error.key), offset: start)
        }
    }

    private mutating func array() throws(JSONValue.Invalid) -> [JSONValue] {
        var values: [JSONValue] = []
        try list(until: UInt8(ascii: "]")) { reader throws(JSONValue.Invalid) in values.append(try reader.value()) }
        return values
    }

    /// What stands between the brackets of an object or array: items, separated by commas.
    private mutating func list(
        until end: UInt8, _ item: (inout Self) throws(JSONValue.Invalid) -> Void
    ) throws(JSONValue.Invalid) {
        skipSpace()
        if try peek() == end {
            place += 1
            return
        }
        while true {
            try item(&self)
            skipSpace()
            if try peek() == end {
                place += 1
                return
            }
            try expect(UInt8(ascii: ","))
            skipSpace()
        }
    }

    private mutating func word(_ text: StaticString, _ value: JSONValue) throws(JSONValue.Invalid) -> JSONValue {
        let letters = UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        guard bytes[place...].starts(with: letters) else { throw failure(.unexpectedByte) }
        place += letters.count
        return value
    }

    /// `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?`
    private mutating func number() throws(JSONValue.Invalid) -> String {
        let start = place
        if next == UInt8(ascii: "-") { place += 1 }
        if next == UInt8(ascii: "0") { place += 1 } else { try digits() }
        if next == UInt8(ascii: ".") {
            place += 1
            try digits()
        }
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
            place += 1
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { place += 1 }
            try digits()
        }
        return String(decoding: bytes[start..<place], as: UTF8.self)
    }

    private mutating func digits() throws(JSONValue.Invalid) {
        let start = place
        while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { place += 1 }
        guard place > start else { throw failure(next == nil ? .unexpectedEnd : .unexpectedByte) }
    }

    private mutating func string() throws(JSONValue.Invalid) -> String {
        place += 1
        let start = place
        var seen: UInt8 = 0
        while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 {
            seen |= byte
            place += 1
        }
        if try peek() == UInt8(ascii: "\"") {
            place += 1
            // What is ASCII needs no validation, which takes a third of the time of reading an index line.
            if seen < 0x80 { return String(decoding: bytes[start..<place - 1], as: UTF8.self) }
            return try text(bytes[start..<place - 1], from: start)
        }
        return try stringWithEscapes(from: start)
    }

    private mutating func stringWithEscapes(from start: Int) throws(JSONValue.Invalid) -> String {
        var plain = Array(bytes[start..<place])
        while true {
            let byte = try peek()
            guard byte >= 0x20 else { throw failure(.unexpectedByte) }
            place += 1
            switch byte {
            case UInt8(ascii: "\""): return try text(plain[...], from: start)
            case UInt8(ascii: "\\"): try escape(into: &plain)
            default: plain.append(byte)
            }
        }
    }

    private mutating func escape(into plain: inout [UInt8]) throws(JSONValue.Invalid) {
        let byte = try peek()
        place += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): plain.append(byte)
        case UInt8(ascii: "b"): plain.append(0x08)
        case UInt8(ascii: "f"): plain.append(0x0C)
        case UInt8(ascii: "n"): plain.append(0x0A)
        case UInt8(ascii: "r"): plain.append(0x0D)
        case UInt8(ascii: "t"): plain.append(0x09)
        case UInt8(ascii: "u"): plain.append(contentsOf: String(Character(try escapedScalar())).utf8)
        default: throw failure(.badEscape)
        }
    }

    /// After `\u`: four hex digits, or a surrogate pair written as two escapes.
    private mutating func escapedScalar() throws(JSONValue.Invalid) -> Unicode.Scalar {
        let first = try fourHexDigits()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard (0xD800..<0xDC00).contains(first), place + 1 < bytes.count, bytes[place] == UInt8(ascii: "\\"),
            bytes[place + 1] == UInt8(ascii: "u")
        else { throw failure(.badEscape) }
        place += 2
        let second = try fourHexDigits()
        guard (0xDC00..<0xE000).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        else { throw failure(.badEscape) }
        return scalar
    }

    private mutating func fourHexDigits() throws(JSONValue.Invalid) -> UInt32 {
        guard place + 4 <= bytes.count else { throw failure(.unexpectedEnd) }
        var value: UInt32 = 0
        for byte in bytes[place..<place + 4] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { throw failure(.badEscape) }
            value = value << 4 | UInt32(digit)
        }
        place += 4
        return value
    }

    private func text(_ bytes: ArraySlice<UInt8>, from start: Int) throws(JSONValue.Invalid) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw JSONValue.Invalid(reason: .notUTF8, offset: start)
        }
        return text
    }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { place += 1 }
    }

    private mutating func expect(_ byte: UInt8) throws(JSONValue.Invalid) {
        guard try peek() == byte else { throw failure(.unexpectedByte) }
        place += 1
    }

    private var next: UInt8? { place < bytes.count ? bytes[place] : nil }

    private func peek() throws(JSONValue.Invalid) -> UInt8 {
        guard let next else { throw failure(.unexpectedEnd) }
        return next
    }

    private func failure(_ reason: JSONValue.Invalid.Reason) -> JSONValue.Invalid {
        JSONValue.Invalid(reason: reason, offset: place)
    }
}
