/// A value on its way to PostgreSQL.
package enum PostgresParameter: Sendable, Equatable {
    case null
    /// Text format; the server reads it as the type that the statement expects at this place.
    case text(String)
    /// Binary format, for `bytea`.
    case bytes([UInt8])
}

/// A type whose values can be parameters of a `Query`.
package protocol PostgresEncodable: Sendable {
    var postgresParameter: PostgresParameter { get }
}

extension String: PostgresEncodable {
    package var postgresParameter: PostgresParameter { .text(self) }
}

extension Bool: PostgresEncodable {
    package var postgresParameter: PostgresParameter { .text(self ? "t" : "f") }
}

extension Int: PostgresEncodable {
    package var postgresParameter: PostgresParameter { .text(String(self)) }
}

extension Int32: PostgresEncodable {
    package var postgresParameter: PostgresParameter { .text(String(self)) }
}

extension Int64: PostgresEncodable {
    package var postgresParameter: PostgresParameter { .text(String(self)) }
}

/// `bigint` has no room above 2^63 - 1: such a value is refused by the server (22003).
extension UInt64: PostgresEncodable {
    package var postgresParameter: PostgresParameter { .text(String(self)) }
}

extension Double: PostgresEncodable {
    package var postgresParameter: PostgresParameter { .text(isNaN ? "NaN" : String(self)) }
}

extension Optional: PostgresEncodable where Wrapped: PostgresEncodable {
    package var postgresParameter: PostgresParameter { self?.postgresParameter ?? .null }
}

/// `[UInt8]` is a `bytea`; any other array is an array of its elements, as in `= ANY(\(names))`.
extension Array: PostgresEncodable where Element: PostgresEncodable {
    package var postgresParameter: PostgresParameter {
        // An empty array of anything casts to an empty `[UInt8]`, so the type is asked first.
        if Element.self == UInt8.self, let bytes = self as? [UInt8] { return .bytes(bytes) }
        return .text("{" + map { Self.element($0.postgresParameter) }.joined(separator: ",") + "}")
    }

    private static func element(_ parameter: PostgresParameter) -> String {
        switch parameter {
        case .null: "NULL"
        case .text(let text): quoted(text)
        case .bytes(let bytes): "\"\\\\x\(hex(bytes))\""
        }
    }

    private static func quoted(_ text: String) -> String {
        var inner: [UInt8] = [UInt8(ascii: "\"")]
        inner.reserveCapacity(text.utf8.count + text.utf8.count / 4 + 2)
        for byte in text.utf8 {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { inner.append(UInt8(ascii: "\\")) }
            inner.append(byte)
        }
        inner.append(UInt8(ascii: "\""))
        return String(decoding: inner, as: UTF8.self)
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        let digits = Array<UInt8>("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count * 2)
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}

/// Only as the element of a `bytea`; alone it is sent as a number.
extension UInt8: PostgresEncodable {
    package var postgresParameter: PostgresParameter { .text(String(self)) }
}
