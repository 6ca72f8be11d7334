/// Takes typed fields out of one object of an index line; every refusal names the field.
struct FieldReader {
    private let object: JSONObject
    private let context: String

    /// - Parameter context: what the object is, for the refusal: `dependency 3`.
    init(_ object: JSONObject, context: String = "") {
        self.object = object
        self.context = context
    }

    func has(_ key: String) -> Bool { present(key) != nil }

    /// - Throws: also if the field is absent or null.
    func text(_ key: String) throws(IndexLine.Invalid) -> String {
        guard let text = object[key]?.string else { throw invalid(key, "must be a string") }
        return text
    }

    /// Null counts as absent.
    func optionalText(
        _ key: String, _ isValid: (String) -> Bool = { !$0.isEmpty }
    ) throws(IndexLine.Invalid) -> String? {
        guard let value = present(key) else { return nil }
        guard let text = value.string else { throw invalid(key, "must be a string or null") }
        guard isValid(text) else { throw invalid(key, "cannot be `\(text.prefix(80))`") }
        return text
    }

    /// - Returns: nil if the field is absent; null is refused, as cargo refuses it.
    func bool(_ key: String) throws(IndexLine.Invalid) -> Bool? {
        guard let value = object[key] else { return nil }
        guard let bool = value.bool else { throw invalid(key, "must be true or false") }
        return bool
    }

    /// Empty if the field is absent; null is refused, as cargo refuses it.
    func texts(_ key: String) throws(IndexLine.Invalid) -> [String] {
        guard let value = object[key] else { return [] }
        guard let texts = Self.texts(value) else { throw invalid(key, "must be a list of strings") }
        return texts
    }

    /// Empty if the field is absent.
    func features(_ key: String, mayBeNull: Bool) throws(IndexLine.Invalid) -> [String: [String]] {
        guard let value = mayBeNull ? present(key) : object[key] else { return [:] }
        guard let members = value.object?.members else { throw invalid(key, "must be a map of lists") }
        var features: [String: [String]] = [:]
        features.reserveCapacity(members.count)
        for member in members {
            guard let values = Self.texts(member.value) else { throw invalid(key, "must be a map of lists of strings") }
            features[member.key] = values
        }
        return features
    }

    func array(_ key: String) throws(IndexLine.Invalid) -> [JSONValue] {
        guard let values = object[key]?.array else { throw invalid(key, "must be a list") }
        return values
    }

    func present(_ key: String) -> JSONValue? {
        guard let value = object[key], value != .null else { return nil }
        return value
    }

    func check<Value>(
        _ key: String, _ text: String, _ read: (String) -> Value?
    ) throws(IndexLine.Invalid) -> Value {
        guard let value = read(text) else { throw invalid(key, "cannot be `\(text.prefix(80))`") }
        return value
    }

    func invalid(_ key: String, _ what: String) -> IndexLine.Invalid {
        .field(context.isEmpty ? key : "\(key) of \(context)", what)
    }

    private static func texts(_ value: JSONValue) -> [String]? {
        guard let values = value.array else { return nil }
        var texts: [String] = []
        texts.reserveCapacity(values.count)
        for value in values {
            guard let text = value.string else { return nil }
            texts.append(text)
        }
        return texts
    }
}
