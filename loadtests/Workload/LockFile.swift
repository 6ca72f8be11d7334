import CrateFile
import Registry

/// What a `Cargo.lock` pins, of one registry.
struct LockFile: Sendable {
    struct Package: Hashable, Sendable {
        let name: String
        let version: Version
    }

    /// A package with a registry's source, as it is downloaded.
    struct Locked: Hashable, Sendable {
        let package: Package
        let checksum: Checksum?
    }

    /// Every package that has a source, sorted as in the file.
    let packages: [Locked]
    private let holdings: Set<Package>
    private let needs: [Package: [Package]]
    /// What the workspace needs itself: what packages without a source need. Of a file without such packages what nothing
    /// else needs.
    let direct: [Package]
    private let byName: [String: [Version]]

    /// - Throws: `BenchFailure` if the text is no lock file of version 2 or later.
    init(parsing text: String) throws(BenchFailure) {
        let entries: [ManifestValue]
        do {
            entries = try ManifestReader.read(text)["package"]?.array ?? []
        } catch {
            throw BenchFailure("this is no Cargo.lock: \(error)")
        }
        var versions: [String: [Version]] = [:]
        var read: [(package: Package, isLocal: Bool, checksum: Checksum?, needs: [String])] = []
        for entry in entries {
            guard let name = entry["name"]?.string, let text = entry["version"]?.string,
                let version = try? Version(text)
            else { throw BenchFailure("this is no Cargo.lock: a package has no name or version") }
            versions[name, default: []].append(version)
            read.append(
                (
                    Package(name: name, version: version), entry["source"] == nil,
                    entry["checksum"]?.string.flatMap { Checksum(hex: $0) },
                    entry["dependencies"]?.array?.compactMap(\.string) ?? []
                ))
        }
        let allVersions = versions
        func package(_ reference: String) -> Package? {
            let words = reference.split(separator: " ").map(String.init)
            guard let name = words.first else { return nil }
            let version = words.count > 1 ? try? Version(words[1]) : allVersions[name]?.first
            return version.map { Package(name: name, version: $0) }
        }
        let external = read.filter { !$0.isLocal }
        packages = external.map { Locked(package: $0.package, checksum: $0.checksum) }
        holdings = Set(external.map(\.package))
        needs = Dictionary(external.map { ($0.package, $0.needs.compactMap(package)) }) { first, _ in first }
        let ofWorkspace = read.filter(\.isLocal).flatMap { $0.needs.compactMap(package) }.filter(holdings.contains)
        let needed = Set(needs.values.joined())
        direct = ofWorkspace.isEmpty ? packages.map(\.package).filter { !needed.contains($0) } : ofWorkspace
        byName = Dictionary(grouping: external.map(\.package), by: \.name).mapValues { $0.map(\.version) }
    }

    func holds(_ candidate: Candidate) -> Bool {
        holdings.contains(Package(name: candidate.name, version: candidate.version))
    }

    /// The version that a dependency is pinned to; nil for one that the file knows nothing of.
    func version(of dependency: IndexDependency, in parent: Candidate, isRoot: Bool) -> Version? {
        pin(of: dependency, in: parent, isRoot: isRoot)
            ?? byName[dependency.crate]?.first { dependency.requirement.matches($0) }
    }

    /// The same, from what the file lists as needed by the parent alone.
    func pin(of dependency: IndexDependency, in parent: Candidate, isRoot: Bool) -> Version? {
        let own = isRoot ? direct : needs[Package(name: parent.name, version: parent.version)] ?? []
        return own.first { $0.name == dependency.crate && dependency.requirement.matches($0.version) }?.version
    }
}
