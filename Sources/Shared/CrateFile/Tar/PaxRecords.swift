/// What a PAX extended header says about the entry that follows it: lines of `LENGTH KEY=VALUE\n`.
///
/// Only `path` and `size` matter here. A record that is not exact or comes twice is refused, because programs
/// differ in which one they believe.
struct PaxRecords {
    private(set) var path: [UInt8]?
    private(set) var size: Int?

    init(_ payload: [UInt8]) throws(Objection) {
        var rest = payload[...]
        while !rest.isEmpty {
            let record = try Self.takeRecord(from: &rest)
            guard let equals = record.firstIndex(of: UInt8(ascii: "=")) else { throw Self.malformed }
            let value = record[(equals + 1)...]
            try accept(String(decoding: record[..<equals], as: UTF8.self), value)
        }
    }

    private mutating func accept(_ key: String, _ value: ArraySlice<UInt8>) throws(Objection) {
        switch key {
        case "path":
            guard path == nil else { throw Self.malformed }
            path = Array(value)
        case "size":
            guard size == nil, let number = Self.number(value) else { throw Self.malformed }
            size = number
        case _ where key.hasPrefix("GNU.sparse."):
            throw .unexpectedType("GNUSparse", path: path.map { String(decoding: $0, as: UTF8.self) } ?? key)
        default:
            break
        }
    }

    /// - Returns: `KEY=VALUE`, without the length before it and the newline behind it.
    private static func takeRecord(from rest: inout ArraySlice<UInt8>) throws(Objection) -> ArraySlice<UInt8> {
        let digits = rest.prefix { $0 != UInt8(ascii: " ") }
        guard let length = number(digits), length > digits.count + 1, length <= rest.count else { throw malformed }
        let record = rest.prefix(length)
        rest = rest.dropFirst(length)
        guard record.last == UInt8(ascii: "\n") else { throw malformed }
        return record.dropFirst(digits.count + 1).dropLast()
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        let isNumber = digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        return isNumber && digits.count <= 18 ? Int(String(decoding: digits, as: UTF8.self)) : nil
    }

    private static let malformed = Objection.malformed("a PAX header is not well formed")
}
