import FoundationEssentials

/// What is in force for one run of a program: the table's rows, each with its value and where it came from.
///
/// Order: flags, then environment, then the JSON file named by `--config` or `LONGSHORE_CONFIG`, then the default.
/// A flag or a key of the file that the table lacks is refused; so is a value that its row does not accept.
/// swift-configuration was weighed: its readers neither refuse unknown names nor say which source a value came from.
///
/// ```swift
/// struct Serve: AsyncParsableCommand {
///     static let configuration = CommandConfiguration(
///         abstract: "Runs the origin.", discussion: Settings.help(OriginConfig.table))
///     @Flag(help: "Prints what is in force, and stops.") var checkConfig = false
///     @Argument(parsing: .allUnrecognized, help: .hidden) var settingFlags: [String] = []
///
///     func run() async throws {
///         let settings = try Settings(OriginConfig.table, flags: settingFlags)
///         if checkConfig { return print(settings.describe()) }
///         …
///     }
/// }
/// let uploadBytesMax = settings.integer("upload-bytes-max")
/// ```
package struct Settings: Sendable {
    /// Where a value came from; `description` says it in words.
    package enum Source: Hashable, Sendable {
        case flag
        /// The variable's name.
        case environment(String)
        /// The file's path.
        case file(String)
        case standard
    }

    enum Value: Hashable, Sendable {
        case text(String)
        case integer(Int)
        case duration(Duration)
        case boolean(Bool)
        case address(SocketAddressText)
    }

    struct Entry: Sendable {
        let setting: Setting
        let value: Value?
        let raw: String?
        let source: Source
    }

    /// In the table's order.
    let entries: [Entry]
    /// Variables that begin with `LONGSHORE_` and belong to no row: worth a warning, since a typing slip looks so.
    package let unknownVariables: [String]

    /// - Parameters:
    ///   - flags: what ArgumentParser left over, in order.
    ///   - readFile: the text of a file; how `--config` and `…-file` are read.
    package init(
        _ table: [Setting], flags: [String],
        environment: [String: String] = ProcessInfo.processInfo.environment,
        readFile: @escaping (String) throws -> String = { try String(contentsOfFile: $0, encoding: .utf8) }
    ) throws(SettingsProblem) {
        let names = Set(table.map(\.name))
        precondition(names.count == table.count, "each setting stands once in its table")
        let given = try SettingFlags(flags, table: table)
        let file = try SettingsFile(
            path: given.config ?? environment[SettingsFile.variable], table: table, readFile: readFile)
        // `LONGSHORE_X=` is how compose files and shells say "not set".
        let resolver = SettingResolver(
            flags: given, environment: environment.filter { !$0.value.isEmpty }, file: file, readFile: readFile)
        var entries: [Entry] = []
        for setting in table { entries.append(try resolver.resolve(setting)) }
        self.entries = entries
        unknownVariables = resolver.unknownVariables(table)
    }

    /// A string, choice, path, URL or secret that has a default or was given.
    package func text(_ name: String) -> String {
        guard let text = optionalText(name) else {
            preconditionFailure("setting \(name) has no default; ask for it as optional")
        }
        return text
    }

    /// A string, choice, path, URL or secret; nil if it was not given and has no default.
    package func optionalText(_ name: String) -> String? {
        guard let value = entry(name).value else { return nil }
        guard case .text(let text) = value else { preconditionFailure("setting \(name) is no text") }
        return text
    }

    /// A number, or a size in bytes.
    package func integer(_ name: String) -> Int {
        guard case .integer(let number) = entry(name).value else { preconditionFailure("setting \(name) is no number") }
        return number
    }

    /// A time, as a kind `duration` reads it.
    package func duration(_ name: String) -> Duration {
        guard case .duration(let time) = entry(name).value else { preconditionFailure("setting \(name) is no time") }
        return time
    }

    /// Whether something is wanted.
    package func boolean(_ name: String) -> Bool {
        guard case .boolean(let truth) = entry(name).value else { preconditionFailure("setting \(name) is no boolean") }
        return truth
    }

    /// Where to listen, or whom to ask.
    package func address(_ name: String) -> SocketAddressText {
        guard case .address(let address) = entry(name).value else {
            preconditionFailure("setting \(name) is no address")
        }
        return address
    }

    /// Which source won.
    package func source(of name: String) -> Source { entry(name).source }

    private func entry(_ name: String) -> Entry {
        guard let entry = entries.first(where: { $0.setting.name == name }) else {
            preconditionFailure("setting \(name) stands in no table")
        }
        return entry
    }
}

/// Why the settings can't be used: one sentence that names the setting, where its value came from and what is accepted.
package struct SettingsProblem: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String

    init(_ sentence: String) { description = sentence }
}
