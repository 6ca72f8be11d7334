import Registry

/// A measurement that was thought of before: a verb and its options, from a file.
///
///     {"about": "…", "verb": "resolve", "options": {"users": 8, "home": "cold", "duration": "30s"}}
///
/// An option is one of the verb's, without its dashes; `true` stands for a flag, a list for an option that is given
/// several times.
struct Scenario: Sendable {
    enum Invalid: Error, Hashable, CustomStringConvertible {
        case notJSON(String)
        case notAnObject
        case unknownKey(String)
        case missing(String)
        case badVerb(String)
        case badOption(String)
        case badValue(String)

        var description: String {
            switch self {
            case .notJSON(let why): "it is no JSON: \(why)"
            case .notAnObject: "it is no JSON object"
            case .unknownKey(let key): "it has the key `\(key)`; a scenario has `about`, `verb` and `options`"
            case .missing(let key): "`\(key)` is missing, or is of another type"
            case .badVerb(let verb):
                "`\(verb)` is no verb for a scenario; take one of \(Scenario.verbs.joined(separator: ", "))"
            case .badOption(let name):
                "`\(name)` can't be an option here: write it without dashes, in small letters; the target and what is "
                    + "written belong on the command line"
            case .badValue(let name): "the value of `\(name)` is no text, number, true or list of texts and numbers"
            }
        }
    }

    /// Those that measure sessions or requests against an address.
    static let verbs = ["resolve", "fetch", "publish", "mixed", "requests"]
    /// They belong to the machine on which a scenario runs, not to it; secrets never stand in a scenario.
    private static let ofTheCommandLine: Set<String> = [
        "target", "compare", "pid", "compare-pid", "json", "html", "token-file", "credential-file", "ca-file",
    ]

    let about: String
    let verb: String
    /// In the order of the file; a flag has no value.
    let options: [(name: String, values: [String])]

    init(parsing bytes: [UInt8]) throws(Invalid) {
        let value: JSONValue
        do { value = try JSONValue(parsing: bytes) } catch { throw .notJSON("\(error)") }
        guard let object = value.object else { throw .notAnObject }
        if let stranger = object.members.first(where: { !["about", "verb", "options"].contains($0.key) }) {
            throw .unknownKey(stranger.key)
        }
        guard let about = object["about"]?.string else { throw .missing("about") }
        guard let verb = object["verb"]?.string else { throw .missing("verb") }
        guard Self.verbs.contains(verb) else { throw .badVerb(verb) }
        guard let members = object["options"]?.object?.members else { throw .missing("options") }
        self.about = about
        self.verb = verb
        var options: [(name: String, values: [String])] = []
        for member in members {
            let isName =
                member.key.first != "-" && member.key.allSatisfy { $0 == "-" || "a"..."z" ~= $0 || "0"..."9" ~= $0 }
            guard isName, !member.key.isEmpty, !Self.ofTheCommandLine.contains(member.key) else {
                throw .badOption(member.key)
            }
            options.append((member.key, try Self.values(member.value, of: member.key)))
        }
        self.options = options
    }

    private static func values(_ value: JSONValue, of name: String) throws(Invalid) -> [String] {
        switch value {
        case .bool(true): return []
        case .string(let text), .number(let text): return [text]
        case .array(let items) where !items.isEmpty:
            var texts: [String] = []
            for item in items {
                switch item {
                case .string(let text), .number(let text): texts.append(text)
                default: throw .badValue(name)
                }
            }
            return texts
        default: throw .badValue(name)
        }
    }

    /// The command line that it stands for.
    ///
    /// - Parameter others: from the real command line; an option there takes the place of the scenario's, and `--rate`
    ///   that of its users.
    func arguments(target: String, others: [String]) -> [String] {
        var replaced = Set(
            others.filter { $0.hasPrefix("--") }.map { $0.dropFirst(2).prefix { $0 != "=" } }.map(String.init))
        if replaced.contains("rate") { replaced.formUnion(["users", "expected-interval"]) }
        if replaced.contains("users") { replaced.formUnion(["rate", "arrivals"]) }
        // `--name=value` keeps a value that begins with a dash.
        let own = options.filter { !replaced.contains($0.name) }.flatMap { option in
            option.values.isEmpty ? ["--\(option.name)"] : option.values.map { "--\(option.name)=\($0)" }
        }
        return [verb, target] + own + others
    }
}
