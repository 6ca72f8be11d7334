/// A JSON text as a tree of values, read strictly.
///
/// FoundationEssentials takes the last of two equal keys without a word, and so lets two readers of one text see
/// different things; this reader refuses it. Members keep the order in which they stand.
package enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    /// As it is written, because no machine number holds every JSON number.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    package static let depthMax = 64

    /// Reads exactly one value with nothing but white space around it.
    ///
    /// - Throws: at the first byte that RFC 8259 does not allow, a repeated key, or more than `depthMax` levels.
    package init(parsing bytes: [UInt8]) throws(Invalid) {
        var reader = JSONReader(bytes)
        self = try reader.document()
    }

    package var object: JSONObject? { if case .object(let object) = self { object } else { nil } }
    package var array: [JSONValue]? { if case .array(let values) = self { values } else { nil } }
    package var string: String? { if case .string(let text) = self { text } else { nil } }
    package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
}

extension JSONValue {
    package struct Invalid: Error, Hashable, CustomStringConvertible {
        /// What is wrong with the text.
        package enum Reason: Hashable, Sendable {
            case unexpectedByte, unexpectedEnd, tooDeep, notUTF8, badEscape, trailingText
            case repeatedKey(String)
        }

        package let reason: Reason
        /// Counted in bytes from 0.
        package let offset: Int

        package var description: String {
            let what =
                switch reason {
                case .unexpectedByte: "an unexpected character"
                case .unexpectedEnd: "the text ends too early"
                case .tooDeep: "more than \(JSONValue.depthMax) levels of nesting"
                case .notUTF8: "text that is not UTF-8"
                case .badEscape: "a bad escape in a string"
                case .trailingText: "something after the end of the value"
                case .repeatedKey(let key): "the key `\(key)` a second time"
                }
            return "invalid JSON: \(what) at byte \(offset)"
        }
    }
}

/// The members of a JSON object; no key stands twice.
package struct JSONObject: Hashable, Sendable {
    /// A key and its value, in the order of the text.
    package struct Member: Hashable, Sendable {
        package let key: String
        package let value: JSONValue
    }

    package let members: [Member]

    /// Objects with more members than this find theirs through a table.
    private static let scanMax = 16
    private let places: [String: Int]

    /// - Throws: the first key that stands twice.
    init(_ members: [Member]) throws(Repeated) {
        self.members = members
        guard members.count > Self.scanMax else {
            places = [:]
            for (place, member) in members.enumerated()
            where members[..<place].contains(where: { $0.key == member.key }) {
                throw Repeated(key: member.key)
            }
            return
        }
        var places: [String: Int] = [:]
        places.reserveCapacity(members.count)
        for (place, member) in members.enumerated() {
            guard places.updateValue(place, forKey: member.key) == nil else { throw Repeated(key: member.key) }
        }
        self.places = places
    }

    struct Repeated: Error { let key: String }

    /// Nil for an absent key; `null` is a value.
    package subscript(key: String) -> JSONValue? {
        if places.isEmpty { return members.first { $0.key == key }?.value }
        return places[key].map { members[$0].value }
    }
}
