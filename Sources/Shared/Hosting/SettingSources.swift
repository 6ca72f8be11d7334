import FoundationEssentials

/// The flags of a command line, by setting.
struct SettingFlags {
    private(set) var values: [String: String] = [:]
    private(set) var config: String?

    init(_ arguments: [String], table: [Setting]) throws(SettingsProblem) {
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            guard argument.hasPrefix("--") else {
                throw SettingsProblem("`\(argument)` is not understood: settings are given as --name value")
            }
            let parts = argument.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            let inline = parts.count == 2 ? String(parts[1]) : nil
            if let (setting, value) = Self.bareBoolean(name, inline: inline, next: rest.first, table: table) {
                try keep(value, as: setting)
                continue
            }
            guard name == "config" || Self.accepts(name, table) else { throw Self.unknown(name, table) }
            guard let value = inline ?? rest.popFirst() else {
                throw SettingsProblem("--\(name) needs a value")
            }
            try keep(value, as: name)
        }
    }

    private mutating func keep(_ value: String, as name: String) throws(SettingsProblem) {
        let earlier = name == "config" ? config : values[name]
        guard earlier == nil else { throw SettingsProblem("--\(name) is given twice") }
        if name == "config" { config = value } else { values[name] = value }
    }

    private static func accepts(_ name: String, _ table: [Setting]) -> Bool {
        table.contains { $0.name == name || ($0.kind.isSecret && $0.fileName == name) }
    }

    /// `--name` and `--no-name` of a boolean; nil if a value belongs to the flag or it is none.
    private static func bareBoolean(
        _ name: String, inline: String?, next: String?, table: [Setting]
    ) -> (String, String)? {
        guard inline == nil else { return nil }
        let booleans = table.filter { $0.kind.isBoolean }.map(\.name)
        if booleans.contains(name), next != "true", next != "false" { return (name, "true") }
        guard name.hasPrefix("no-"), booleans.contains(String(name.dropFirst(3))) else { return nil }
        return (String(name.dropFirst(3)), "false")
    }

    private static func unknown(_ name: String, _ table: [Setting]) -> SettingsProblem {
        SettingsProblem("there is no setting --\(name)\(SettingGuess.hint(name, table)); --help lists them all")
    }
}

/// The JSON file of settings: one object, a key a setting.
struct SettingsFile {
    static let variable = "LONGSHORE_CONFIG"

    let path: String
    let values: [String: String]

    /// - Parameter path: nil for "no file".
    init(path: String?, table: [Setting], readFile: (String) throws -> String) throws(SettingsProblem) {
        self.path = path ?? ""
        guard let path else { values = [:]; return }
        let scalars: [String: Scalar]
        do {
            scalars = try JSONDecoder().decode([String: Scalar].self, from: Data(try readFile(path).utf8))
        } catch let error as DecodingError {
            throw SettingsProblem(
                """
                the settings file \(path) cannot be read as one JSON object of texts, numbers, true and false: \
                \(Self.cause(error))
                """
            )
        } catch {
            throw SettingsProblem("the settings file \(path) cannot be opened: \(Explanation.of(error))")
        }
        let names = Set(table.flatMap { $0.kind.isSecret ? [$0.name, $0.fileName] : [$0.name] })
        if let stranger = scalars.keys.sorted().first(where: { !names.contains($0) }) {
            throw SettingsProblem(
                """
                the settings file \(path) has a key `\(stranger)` that is no setting\
                \(SettingGuess.hint(stranger, table))
                """
            )
        }
        values = scalars.mapValues(\.text)
    }

    private static func cause(_ error: DecodingError) -> String {
        switch error {
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context),
            .dataCorrupted(let context):
            let place = context.codingPath.map(\.stringValue).joined(separator: ".")
            return place.isEmpty ? context.debugDescription : "`\(place)`: \(context.debugDescription)"
        @unknown default: return "\(error)"
        }
    }

    private struct Scalar: Decodable {
        let text: String

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let truth = try? container.decode(Bool.self) {
                text = truth ? "true" : "false"
            } else if let number = try? container.decode(Int.self) {
                text = String(number)
            } else {
                text = try container.decode(String.self)
            }
        }
    }
}

/// Finds each setting's value in the sources, in their order.
struct SettingResolver {
    let flags: SettingFlags
    let environment: [String: String]
    let file: SettingsFile
    let readFile: (String) throws -> String

    func resolve(_ setting: Setting) throws(SettingsProblem) -> Settings.Entry {
        guard let (raw, source) = try given(setting) else {
            return try entry(setting, setting.standard, .standard)
        }
        return try entry(setting, raw, source)
    }

    /// Variables with our prefix that no row explains.
    func unknownVariables(_ table: [Setting]) -> [String] {
        let known = Set(table.flatMap { [$0.environmentName, $0.environmentName + "_FILE"] } + [SettingsFile.variable])
        return environment.keys.filter { $0.hasPrefix(Setting.environmentPrefix) && !known.contains($0) }.sorted()
    }

    private func given(_ setting: Setting) throws(SettingsProblem) -> (String, Settings.Source)? {
        let sources: [(Settings.Source, direct: String?, path: String?)] = [
            (.flag, flags.values[setting.name], flags.values[setting.fileName]),
            (
                .environment(setting.environmentName), environment[setting.environmentName],
                environment[setting.environmentName + "_FILE"]
            ),
            (.environment(setting.environmentAlias ?? ""), setting.environmentAlias.flatMap { environment[$0] }, nil),
            (.file(file.path), file.values[setting.name], file.values[setting.fileName]),
        ]
        for (source, direct, path) in sources {
            let path = setting.kind.isSecret ? path : nil
            if direct != nil, path != nil {
                throw SettingsProblem(
                    "`\(setting.name)` is given both itself and as a file (\(source)): give one of them")
            }
            if let direct { return (direct, source) }
            if let path { return (try secret(of: setting, at: path, source), source) }
        }
        return nil
    }

    private func secret(
        of setting: Setting, at path: String, _ source: Settings.Source
    ) throws(SettingsProblem) -> String {
        do {
            let text = try readFile(path)
            // Editors and `echo` end a file with a newline that is no part of the secret.
            return text.trimmingSuffix { $0.isNewline }
        } catch {
            throw SettingsProblem(
                """
                the file \(path) that should hold `\(setting.name)` (\(source)) cannot be read: \
                \(Explanation.of(error))
                """
            )
        }
    }

    private func entry(
        _ setting: Setting, _ raw: String?, _ source: Settings.Source
    ) throws(SettingsProblem) -> Settings.Entry {
        guard let raw else { return .init(setting: setting, value: nil, raw: nil, source: source) }
        guard let value = setting.kind.parse(raw) else {
            let shown = setting.kind.isSecret ? "what was given" : "`\(raw.prefix(100))`"
            throw SettingsProblem(
                "`\(setting.name)` (\(source)) cannot be \(shown): it takes \(setting.kind.accepted)")
        }
        return .init(setting: setting, value: value, raw: raw, source: source)
    }
}

extension Setting {
    /// How the path of a secret's file is called: `database-url-file`.
    var fileName: String { name + "-file" }
}

extension Settings.Source: CustomStringConvertible {
    package var description: String {
        switch self {
        case .flag: "flag"
        case .environment(let name): "environment variable \(name)"
        case .file(let path): "file \(path)"
        case .standard: "default"
        }
    }
}

extension String {
    fileprivate func trimmingSuffix(while drops: (Character) -> Bool) -> String {
        var rest = self[...]
        while let last = rest.last, drops(last) { rest.removeLast() }
        return String(rest)
    }
}
