import ArgumentParser
import FoundationEssentials
import Registry

/// What is resolved, as `resolve` and `mixed` are told.
struct ResolvedThings: ParsableArguments {
    static let fileBytesMax = 64 << 20

    @Option(
        help: ArgumentHelp(
            "Applications, by name their index line: `{\"ripgrep\": {\"line\": {…}}}`. Dependencies that the registry does "
                + "not have are left out.", valueName: "file")) var apps: String?
    @Option(
        name: .customLong("app"), help: ArgumentHelp("Of --apps only this one; may be repeated.", valueName: "name"))
    var names: [String] = []
    @Option(help: ArgumentHelp("A Cargo.toml.", valueName: "file")) var manifest: String?
    @Option(help: ArgumentHelp("A Cargo.lock, alone or with its --manifest.", valueName: "file")) var lock: String?
    @Option(help: ArgumentHelp("Crates as direct dependencies: serde,tokio@1.38", valueName: "a,b")) var crates: String?

    private static let choices = "one of --apps, --manifest or --lock (or both), --crates"

    private var given: [String] { [apps, manifest ?? lock, crates].compactMap(\.self) }

    /// - Throws: `ValidationError` if nothing is to be resolved.
    func checkGiven() throws {
        guard given.count == 1 else { throw ValidationError("say what to resolve: \(Self.choices)") }
    }

    func validate() throws {
        guard given.count <= 1 else { throw ValidationError("resolve one thing: \(Self.choices)") }
        guard names.isEmpty || apps != nil else { throw ValidationError("--app needs --apps") }
    }

    /// - Throws: `BenchFailure` that names the file.
    func applications() throws(BenchFailure) -> [Application] {
        if let apps { return try read(apps) }
        if let crates {
            let root = try Self.needy("--crates") { () throws(BenchFailure) in
                try RootPackage.crates(crates.split(separator: ",").map(String.init))
            }
            return [Application(name: "crates", CargoModel(root: root))]
        }
        guard let manifest else {
            let path = lock ?? ""
            let text = try Self.text(path, "--lock")
            let held = try Self.named(path) { () throws(BenchFailure) in try LockFile(parsing: text) }
            let root = try Self.needy(path) { () throws(BenchFailure) in
                try RootPackage.lockFile(text, name: "lock file").root
            }
            return [Application(name: root.name, CargoModel(root: root, lock: held, guide: .lockFile))]
        }
        let text = try Self.text(manifest, "--manifest")
        let root = try Self.needy(manifest) { () throws(BenchFailure) in
            try RootPackage.manifest(text, registry: nil)
        }
        guard let lock else { return [Application(name: root.name, CargoModel(root: root))] }
        let lockText = try Self.text(lock, "--lock")
        let held = try Self.named(lock) { () throws(BenchFailure) in try LockFile(parsing: lockText) }
        return [Application(name: root.name, CargoModel(root: root, lock: held))]
    }

    private static func named<Value>(
        _ source: String, _ read: () throws(BenchFailure) -> Value
    ) throws(BenchFailure) -> Value {
        do { return try read() } catch { throw BenchFailure("\(source): \(error.description)") }
    }

    /// A measurement of nothing would look very fast.
    private static func needy(
        _ source: String, _ read: () throws(BenchFailure) -> Candidate
    ) throws(BenchFailure) -> Candidate {
        let root = try named(source, read)
        guard !root.dependencies.isEmpty else {
            throw BenchFailure("\(source): it needs no crate of a registry, so there is nothing to resolve")
        }
        return root
    }

    /// Something of the whole that is not a measurement's name.
    var shown: String { apps ?? manifest ?? lock ?? crates ?? "" }

    private func read(_ path: String) throws(BenchFailure) -> [Application] {
        let entries: [String: RecordedApplication]
        do {
            entries = try JSONDecoder().decode(
                [String: RecordedApplication].self, from: Data(try Self.text(path, "--apps").utf8))
        } catch let failure as BenchFailure {
            throw failure
        } catch {
            throw BenchFailure(
                "\(path) is no file of applications, such as {\"ripgrep\": {\"line\": {…}}}: \(error)")
        }
        if let stranger = names.first(where: { entries[$0] == nil }) {
            throw BenchFailure(
                "\(path) has no application `\(stranger)`; it has \(entries.keys.sorted().joined(separator: ", "))")
        }
        var applications: [Application] = []
        for (name, entry) in entries.sorted(by: { $0.key < $1.key }) where names.isEmpty || names.contains(name) {
            applications.append(
                Application(name: name, CargoModel(root: try entry.line.root(), missing: .isLeftOut)))
        }
        guard !applications.isEmpty else { throw BenchFailure("\(path) has no application") }
        return applications
    }

    private static func text(_ path: String, _ flag: String) throws(BenchFailure) -> String {
        guard let data = FileManager.default.contents(atPath: path), data.count <= fileBytesMax else {
            throw BenchFailure("\(path) can't be read, or has more than \(fileBytesMax >> 20) MiB; check \(flag)")
        }
        return String(decoding: data, as: UTF8.self)
    }
}

/// An application as a file describes it; what it asks stands beside its line in some, and is not read.
private struct RecordedApplication: Decodable {
    let line: RecordedLine
}

private struct RecordedLine: Decodable {
    struct Dependency: Decodable {
        let name: String
        let req: String
        let features: [String]?
        let optional: Bool?
        let default_features: Bool?
        let target: String?
        let kind: String?
        let package: String?
        let registry: String?
    }

    let name: String
    let deps: [Dependency]
    let features: [String: [String]]?
    let features2: [String: [String]]?

    func root() throws(BenchFailure) -> Candidate {
        var dependencies: [IndexDependency] = []
        for entry in deps {
            guard let requirement = try? VersionRequirement(entry.req) else {
                throw BenchFailure("`\(entry.name) = \"\(entry.req)\"` of `\(name)` is no version requirement")
            }
            dependencies.append(
                IndexDependency(
                    name: entry.name, requirement: requirement, features: entry.features ?? [],
                    isOptional: entry.optional ?? false, usesDefaultFeatures: entry.default_features ?? true,
                    target: entry.target, kind: entry.kind.flatMap { .init(rawValue: $0) } ?? .normal,
                    registry: entry.registry, package: entry.package))
        }
        let all = (features ?? [:]).merging(features2 ?? [:]) { $0 + $1 }
        return try RootPackage.made(name: name, dependencies, all)
    }
}
