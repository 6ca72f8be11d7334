/// A type that a column's value can be read as.
///
/// Values arrive in text format under the session settings of `PostgresConfiguration.sessionScript`.
package protocol PostgresDecodable {
    /// - Parameter bytes: the value's text; nil for NULL. Valid during the call only.
    /// - Returns: nil if the value cannot be read as this type.
    static func decode(_ bytes: UnsafeBufferPointer<UInt8>?) -> Self?
}

extension PostgresDecodable where Self: FixedWidthInteger {
    package static func decode(_ bytes: UnsafeBufferPointer<UInt8>?) -> Self? {
        bytes.flatMap { Self(String(decoding: $0, as: UTF8.self)) }
    }
}

extension Int: PostgresDecodable {}
extension Int32: PostgresDecodable {}
extension Int64: PostgresDecodable {}
extension UInt64: PostgresDecodable {}

extension Double: PostgresDecodable {
    package static func decode(_ bytes: UnsafeBufferPointer<UInt8>?) -> Double? {
        bytes.flatMap { Double(String(decoding: $0, as: UTF8.self)) }
    }
}

extension Bool: PostgresDecodable {
    package static func decode(_ bytes: UnsafeBufferPointer<UInt8>?) -> Bool? {
        guard let bytes, bytes.count == 1 else { return nil }
        switch bytes[0] {
        case UInt8(ascii: "t"): return true
        case UInt8(ascii: "f"): return false
        default: return nil
        }
    }
}

extension String: PostgresDecodable {
    package static func decode(_ bytes: UnsafeBufferPointer<UInt8>?) -> String? {
        bytes.map { String(decoding: $0, as: UTF8.self) }
    }
}

extension Optional: PostgresDecodable where Wrapped: PostgresDecodable {
    package static func decode(_ bytes: UnsafeBufferPointer<UInt8>?) -> Wrapped?? {
        guard let bytes else { return .some(nil) }
        return Wrapped.decode(bytes).map { .some($0) }
    }
}

/// `[UInt8]` reads a `bytea`, `[String]` a `text[]` of one dimension without NULLs.
extension Array: PostgresDecodable where Element: PostgresArrayElement {
    package static func decode(_ bytes: UnsafeBufferPointer<UInt8>?) -> [Element]? {
        bytes.flatMap { Element.decodeArray($0) }
    }
}

/// A type whose arrays can be read from a column.
package protocol PostgresArrayElement {
    static func decodeArray(_ bytes: UnsafeBufferPointer<UInt8>) -> [Self]?
}

extension UInt8: PostgresArrayElement {
    package static func decodeArray(_ bytes: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        guard bytes.count >= 2, bytes.count.isMultiple(of: 2), bytes[0] == UInt8(ascii: "\\"),
            bytes[1] == UInt8(ascii: "x")
        else { return nil }
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count / 2 - 1)
        for place in stride(from: 2, to: bytes.count, by: 2) {
            guard let high = digit(bytes[place]), let low = digit(bytes[place + 1]) else { return nil }
            out.append(high << 4 | low)
        }
        return out
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}

extension String: PostgresArrayElement {
    /// Reads `{a,"b, \"c\"",d}`.
    package static func decodeArray(_ bytes: UnsafeBufferPointer<UInt8>) -> [String]? {
        guard bytes.count >= 2, bytes.first == UInt8(ascii: "{"), bytes.last == UInt8(ascii: "}") else { return nil }
        let end = bytes.count - 1
        var place = 1
        var out: [String] = []
        while place < end {
            var element: [UInt8] = []
            let isQuoted = bytes[place] == UInt8(ascii: "\"")
            if isQuoted { place += 1 }
            let stop = isQuoted ? UInt8(ascii: "\"") : UInt8(ascii: ",")
            while place < end, bytes[place] != stop {
                if bytes[place] == UInt8(ascii: "\\") { place += 1 }
                element.append(bytes[place])
                place += 1
            }
            if isQuoted { place += 1 }
            let text = String(decoding: element, as: UTF8.self)
            guard isQuoted || (text != "NULL" && !text.hasPrefix("{")) else { return nil }
            out.append(text)
            guard place >= end || bytes[place] == UInt8(ascii: ",") else { return nil }
            place += 1
        }
        return out
    }
}
