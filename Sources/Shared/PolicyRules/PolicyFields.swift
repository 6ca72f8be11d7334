import Registry

/// A table of a policy file while it is read: every key is taken once, what is left over is an error.
struct PolicyFields {
    /// For messages: `rule 3 (no-gpl)`.
    let place: String
    private var rest: [String: ManifestValue]

    /// - Throws: if it is no table.
    init(_ value: ManifestValue, at place: String) throws(PolicyFile.Invalid) {
        guard let table = value.table else { throw .init("\(place) must be a table") }
        rest = table
        self.place = place
    }

    mutating func value(_ key: String) -> ManifestValue? { rest.removeValue(forKey: key) }

    mutating func text(_ key: String, bytesMax: Int = 200) throws(PolicyFile.Invalid) -> String? {
        guard let value = value(key) else { return nil }
        guard let text = value.string, !text.isEmpty, text.utf8.count <= bytesMax,
            text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F })
        else { throw .init("\(place): `\(key)` must be one line of text, at most \(bytesMax) bytes") }
        return text
    }

    mutating func needed(_ key: String, bytesMax: Int = 200) throws(PolicyFile.Invalid) -> String {
        guard let text = try text(key, bytesMax: bytesMax) else { throw .init("\(place): `\(key)` is missing") }
        return text
    }

    /// - Parameter read: nil for text that is no value of this key.
    mutating func read<Value>(
        _ key: String, _ want: String, _ read: (String) -> Value?
    ) throws(PolicyFile.Invalid) -> Value? {
        guard let value = value(key) else { return nil }
        guard let text = value.string, let made = read(text) else { throw .init("\(place): `\(key)` must be \(want)") }
        return made
    }

    mutating func list<Value>(
        _ key: String, _ want: String, _ read: (String) -> Value?
    ) throws(PolicyFile.Invalid) -> [Value]? {
        guard let value = value(key) else { return nil }
        guard let items = value.array, !items.isEmpty else {
            throw .init("\(place): `\(key)` must be a list of \(want), and not an empty one")
        }
        var made: [Value] = []
        for item in items {
            guard let text = item.string, let one = read(text) else {
                throw .init("\(place): `\(key)` must hold \(want); `\(Self.shown(item))` is none")
            }
            made.append(one)
        }
        return made
    }

    /// A time, bare or in quotes.
    mutating func time(_ key: String, _ want: String) throws(PolicyFile.Invalid) -> Int? {
        guard let value = value(key) else { return nil }
        let text: String? = if case .date(let text) = value { text } else { value.string }
        guard let text, let seconds = UnixTime.seconds(text) else {
            throw .init("\(place): `\(key)` must be \(want)")
        }
        return seconds
    }

    /// - Returns: false if the key is absent. `false` is refused: it would read as the opposite, and mean nothing.
    mutating func flag(_ key: String) throws(PolicyFile.Invalid) -> Bool {
        guard let value = value(key) else { return false }
        guard value.bool == true else {
            throw .init("\(place): `\(key)` can only be `true`; leave it out where it does not matter")
        }
        return true
    }

    /// - Throws: if a key is left that nobody has taken.
    func finish(_ known: String) throws(PolicyFile.Invalid) {
        guard let odd = rest.keys.min() else { return }
        throw .init("\(place): there is no key `\(odd.prefix(60))`; there are \(known)")
    }

    private static func shown(_ value: ManifestValue) -> String {
        switch value {
        case .string(let text): String(text.prefix(60))
        case .integer(let number): "\(number)"
        case .float(let number): "\(number)"
        case .bool(let value): "\(value)"
        case .date(let text): text
        case .array: "[…]"
        case .table: "{…}"
        }
    }
}
