import Synchronization

/// The fields of an answer as HPACK bytes, rendered once; all but `date`.
///
/// Fields that many answers share are numbered over the whole process: a connection sends such a field in full once and then by
/// its place in the client's table. What differs from answer to answer is never put into a table. Source: RFC 7541.
struct FieldBlock: Sendable {
    /// `:status`, then what this answer has for itself.
    let own: [UInt8]
    let shared: SharedFields
    /// The most that this block can take on any connection.
    let bytesMax: Int

    init(_ fields: [(name: String, value: String)]) {
        var own: [UInt8] = []
        var shared: [SharedField] = []
        for field in fields {
            if field.name == ":status", let index = HPACK.statuses.firstIndex(of: field.value) {
                own.append(0x80 | UInt8(HPACK.firstStatus + index))
            } else if !Self.differs(field.name), let known = SharedField.find(field.name, field.value) {
                shared.append(known)
            } else {
                HPACK.appendLiteral(field.name, field.value, isIndexed: false, to: &own)
            }
        }
        self.own = own
        self.shared = SharedFields.of(shared)
        bytesMax = own.count + shared.reduce(0) { $0 + $1.literal.count }
    }

    private static func differs(_ name: String) -> Bool {
        ["etag", "content-length", "location", "last-modified", ":status"].contains(name)
    }
}

/// The shared fields of an answer. Answers of one kind have the same ones, and so the same object.
final class SharedFields: Sendable {
    /// How many different ones are told apart; later ones have no number.
    static let countMax = 64

    let number: Int?
    let fields: [SharedField]

    private static let known = Mutex<[[Int]: SharedFields]>([:])

    private init(_ number: Int?, _ fields: [SharedField]) {
        self.number = number
        self.fields = fields
    }

    static func of(_ fields: [SharedField]) -> SharedFields {
        known.withLock { known in
            let numbers = fields.map(\.number)
            if let held = known[numbers] { return held }
            guard known.count < countMax else { return SharedFields(nil, fields) }
            let made = SharedFields(known.count, fields)
            known[numbers] = made
            return made
        }
    }
}

/// A field that many answers have, with its number.
final class SharedField: Sendable {
    /// How many there may be; what comes later is sent in full each time.
    static let countMax = 64

    let number: Int
    /// In full, with the order to put it into the table.
    let literal: [UInt8]
    /// In full, for clients without a table.
    let plain: [UInt8]
    /// What it takes there (RFC 7541, 4.1).
    let tableBytes: Int

    private static let known = Mutex<[String: SharedField]>([:])

    private init(_ number: Int, _ name: String, _ value: String) {
        self.number = number
        var literal: [UInt8] = []
        HPACK.appendLiteral(name, value, isIndexed: true, to: &literal)
        self.literal = literal
        var plain: [UInt8] = []
        HPACK.appendLiteral(name, value, isIndexed: false, to: &plain)
        self.plain = plain
        tableBytes = name.utf8.count + value.utf8.count + 32
    }

    static func find(_ name: String, _ value: String) -> SharedField? {
        let text = "\(name): \(value)"
        return known.withLock { known in
            if let held = known[text] { return held }
            guard known.count < countMax else { return nil }
            let made = SharedField(known.count, name, value)
            known[text] = made
            return made
        }
    }
}

/// What of HPACK a server needs that writes its fields beforehand. Source: RFC 7541, 5, 6 and appendix A.
enum HPACK {
    /// The first place of the static table that holds a status.
    static let firstStatus = 8
    static let statuses = ["200", "204", "206", "304", "400", "404", "500"]
    /// The first place behind the static table.
    static let dynamicStart = 62
    static let date = 33

    /// Names of the static table that our answers have; the others are written out.
    private static let names = [
        ":status": 8, "allow": 22, "cache-control": 24, "content-encoding": 26, "content-length": 28,
        "content-type": 31,
        "date": date, "etag": 34, "location": 46, "retry-after": 53, "vary": 59, "www-authenticate": 61,
    ]

    /// - Parameter isIndexed: the client shall put it into its table.
    static func appendLiteral(_ name: String, _ value: String, isIndexed: Bool, to bytes: inout [UInt8]) {
        let place = names[name] ?? 0
        appendNumber(place, first: isIndexed ? 0x40 : 0x00, bits: isIndexed ? 6 : 4, to: &bytes)
        if place == 0 { appendText(name, to: &bytes) }
        appendText(value, to: &bytes)
    }

    private static func appendText(_ text: String, to bytes: inout [UInt8]) {
        appendNumber(text.utf8.count, first: 0, bits: 7, to: &bytes)
        bytes.append(contentsOf: text.utf8)
    }

    /// - Parameter first: the bits that stand before the number in its first byte.
    static func appendNumber(_ number: Int, first: UInt8, bits: Int, to bytes: inout [UInt8]) {
        let most = 1 << bits - 1
        guard number >= most else { return bytes.append(first | UInt8(number)) }
        bytes.append(first | UInt8(most))
        var rest = number - most
        while rest >= 128 {
            bytes.append(UInt8(rest & 0x7F | 0x80))
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
