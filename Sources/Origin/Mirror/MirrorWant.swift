import Registry

/// Which versions of a crate a mirror should have.
enum MirrorWant: Hashable, Sendable {
    /// So many, that are not yanked.
    case newest(Int)
    /// Yanked ones too.
    case all
    /// As a lock file names it, yanked or not. The checksum is what the lock file says; nil if it says none.
    case exactly(Version, Checksum?)
    /// The one that a resolver takes for a dependency. Nobody misses a dependency that is optional and is nowhere.
    case matching(VersionRequirement, isOptional: Bool)
}

/// A version of a crate as the repository knows it.
struct MirrorVersion: Hashable, Sendable {
    let version: Version
    let checksum: Checksum
    let isYanked: Bool
    /// False while its file is with the upstream only.
    let isHere: Bool
    /// Why policy lets nobody have it; nil: it does.
    var refusal: String?
    /// Nil if it can't be read; then nothing is known of its dependencies.
    let line: IndexLine?
}

/// Picks versions. Pure.
///
/// | want         | picks                                                                      | nothing there is     |
/// |--------------|----------------------------------------------------------------------------|----------------------|
/// | `newest(n)`  | the n highest releases that are not yanked; pre-releases if there is none  | an objection         |
/// | `all`        | everything                                                                 | an objection         |
/// | `exactly`    | that version, if it has the checksum                                       | an objection         |
/// | `matching`   | the highest that fits and is not yanked                                    | one, if not optional |
struct MirrorChoice: Equatable {
    /// Descending.
    private(set) var versions: [MirrorVersion] = []
    /// What is missing, each as `1.2.3` or `^1`, and why.
    private(set) var objections: [Objection] = []

    struct Objection: Hashable, Sendable {
        let what: String
        let cause: String
    }

    init(_ wants: Set<MirrorWant>, among all: [MirrorVersion]) {
        var chosen: Set<MirrorVersion> = []
        for want in wants {
            switch Self.pick(want, among: all) {
            case .success(let versions): chosen.formUnion(versions)
            case .failure(.nobodyMisses): break
            case .failure(.objection(let objection)): objections.append(objection)
            }
        }
        versions = chosen.sorted { $1.version < $0.version }
        objections.sort { $0.what < $1.what }
    }

    private enum Nothing: Error {
        case nobodyMisses
        case objection(Objection)
    }

    private static func pick(_ want: MirrorWant, among all: [MirrorVersion]) -> Result<[MirrorVersion], Nothing> {
        switch want {
        case .newest(let count):
            let offered = all.filter { !$0.isYanked }
            let releases = offered.filter { $0.version.prerelease.isEmpty }
            let newest = (releases.isEmpty ? offered : releases).sorted { $1.version < $0.version }.prefix(count)
            return some(Array(newest), "(newest)", "every version is yanked")
        case .all: return some(all, "(all)", "there is no version")
        case .exactly(let version, let checksum):
            guard let found = all.first(where: { $0.version == version }) else {
                return some([], "\(version)", "the index has no such version")
            }
            guard checksum == nil || checksum == found.checksum else {
                let cause = "the lock file says SHA-256 \(checksum?.description ?? ""), the index \(found.checksum)"
                return some([], "\(version)", cause)
            }
            return .success([found])
        case .matching(let requirement, let isOptional):
            let fitting = all.filter { !$0.isYanked && requirement.matches($0.version) }
            if let highest = fitting.max(by: { $0.version < $1.version }) { return .success([highest]) }
            if isOptional { return .failure(.nobodyMisses) }
            return some([], "\(requirement)", "no version fits that is not yanked")
        }
    }

    private static func some(
        _ versions: [MirrorVersion], _ what: String, _ cause: String
    ) -> Result<[MirrorVersion], Nothing> {
        versions.isEmpty ? .failure(.objection(Objection(what: what, cause: cause))) : .success(versions)
    }
}

/// What is still to be looked at, each want once. Pure.
struct MirrorPlan {
    struct Step: Hashable, Sendable {
        let name: CrateName
        let wants: Set<MirrorWant>
    }

    private var asked: [String: Set<MirrorWant>] = [:]
    private var waiting: [String: Set<MirrorWant>] = [:]

    mutating func add(_ name: CrateName, _ want: MirrorWant) {
        guard asked[name.lowered, default: []].insert(want).inserted else { return }
        waiting[name.lowered, default: []].insert(want)
    }

    /// - Returns: everything that waits, by name; empty at the end.
    mutating func next() -> [Step] {
        defer { waiting = [:] }
        return waiting.sorted { $0.key < $1.key }.compactMap { name, wants in
            (try? CrateName(name)).map { Step(name: $0, wants: wants) }
        }
    }
}

extension IndexLine {
    /// What must be there beside the version, whichever features are switched on: all dependencies in the same registry
    /// but those for development.
    ///
    /// - Parameter takesOptional: false leaves optional ones out.
    func mirrorWants(takesOptional: Bool) -> [(name: CrateName, want: MirrorWant)] {
        dependencies.compactMap { dependency in
            guard dependency.kind != .dev, dependency.registry == nil, takesOptional || !dependency.isOptional,
                let name = try? CrateName(dependency.crate)
            else { return nil }
            return (name, .matching(dependency.requirement, isOptional: dependency.isOptional))
        }
    }
}
