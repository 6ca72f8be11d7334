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
        var literal: [UInt8] = [UInt8(ascii: "{")]
        for element in self {
            if literal.count > 1 { literal.append(UInt8(ascii: ",")) }
            switch element.postgresParameter {
            case .null: literal += "NULL".utf8
            case .text(let text): Self.quote(text, &literal)
            case .bytes(let bytes): Self.quote(bytes, &literal)
            }
        }
        literal.append(UInt8(ascii: "}"))
        return .text(String(decoding: literal, as: UTF8.self))
    }

    /// Batches of index lines are megabytes: each byte is copied once, in one piece with its neighbours.
    private static func quote(_ text: String, _ literal: inout [UInt8]) {
        var text = text
        text.withUTF8 { utf8 in
            // At worst each byte is escaped.
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 2 * utf8.count + 2) { quoted in
                quoted[0] = UInt8(ascii: "\"")
                var count = 1
                for byte in utf8 {
                    if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                        quoted[count] = UInt8(ascii: "\\")
                        count += 1
                    }
                    quoted[count] = byte
                    count += 1
                }
                quoted[count] = UInt8(ascii: "\"")
                literal.append(contentsOf: UnsafeBufferPointer(rebasing: quoted[...count]))
            }
        }
    }

    private static func quote(_ bytes: [UInt8], _ literal: inout [UInt8]) {
        let digits = Array<UInt8>("0123456789abcdef".utf8)
        literal += "\"\\\\x".utf8
        for byte in bytes {
            literal.append(digits[Int(byte >> 4)])
            literal.append(digits[Int(byte & 15)])
        }
        literal.append(UInt8(ascii: "\""))
    }
}

/// Only as the element of a `bytea`; alone it is sent as a number.
extension UInt8: PostgresEncodable {
    package var postgresParameter: PostgresParameter { .text(String(self)) }
}
