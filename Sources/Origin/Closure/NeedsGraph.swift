import Registry

/// What a resolver asks for, drawn from what crates need as they become known, in whatever order: the highest version that fits
/// each requirement, and the features that are switched on. Pure.
struct NeedsGraph {
    /// One version of a crate that is followed, by its place in `CrateNeeds.versions`.
    private struct Place: Hashable {
        let crate: IndexPath
        let line: Int
    }

    /// What is switched on in it.
    private struct Progress {
        /// Features whose consequences were drawn.
        var features: Set<String> = []
        var hasAll = false
    }

    /// What is wanted of one place.
    private struct Demand {
        var place: Place
        var features: [String]
        var wantsAll = false
    }

    /// No closure of a real registry comes near; a crafted index must not keep a replica busy.
    private static let followedMax = 50_000

    private var seen: Set<IndexPath> = []
    private var crates: [IndexPath: CrateNeeds] = [:]
    /// What is wanted of crates that are not known yet.
    private var waiting: [IndexPath: [CrateNeeds.Need]] = [:]
    private var progress: [Place: Progress] = [:]
    private var demands: [Demand] = []
    private var followed = 0
    private var frontier: [IndexPath] = []

    /// - Parameter roots: the crates that were asked for; nothing leads to them again.
    init(_ roots: [IndexPath]) { seen = Set(roots) }

    /// Takes what a crate needs; nil: it is nowhere.
    mutating func learn(_ path: IndexPath, _ needs: CrateNeeds?) {
        crates[path] = needs
        for need in waiting.removeValue(forKey: path) ?? [] { want(need) }
    }

    /// Wants the newest lines of a crate with their default features, or all.
    mutating func begin(_ path: IndexPath, linesMax: Int, wantsAll: Bool) {
        for line in 0..<min(linesMax, crates[path]?.versions.count ?? 0) {
            demands.append(Demand(place: Place(crate: path, line: line), features: ["default"], wantsAll: wantsAll))
        }
    }

    /// Draws the consequences of all that was learnt and begun.
    ///
    /// - Returns: the names that are asked for now and were not before, each once.
    mutating func next() -> [IndexPath] {
        var next = 0
        while next < demands.count, followed < Self.followedMax {
            follow(demands[next])
            next += 1
        }
        demands = []
        defer { frontier = [] }
        return frontier
    }

    private mutating func follow(_ demand: Demand) {
        guard let line = crates[demand.place.crate]?.line(demand.place.line) else { return }
        let isNew = progress[demand.place] == nil
        var state = progress[demand.place] ?? Progress()
        followed += 1
        if isNew { for need in line.needs where !need.isOptional { want(need) } }
        var pending = demand.features
        if demand.wantsAll, !state.hasAll {
            state.hasAll = true
            pending += line.features.keys.sorted()
            for need in line.needs where need.isOptional { want(need) }
        }
        while let feature = pending.popLast() {
            guard followed < Self.followedMax, state.features.insert(feature).inserted else { continue }
            followed += 1
            if let more = line.features[feature] { pending += more } else { follow(feature, in: line) }
        }
        progress[demand.place] = state
    }

    /// `dep:x` and `x` switch `x` on, `x/feature` a feature of it too. `x?/feature` is taken for the same: what of it does not hold
    /// is rare.
    private mutating func follow(_ feature: String, in line: CrateNeeds.Line) {
        let plain = feature.hasPrefix("dep:") ? feature.dropFirst(4) : feature[...]
        let words = plain.split(separator: "/", maxSplits: 1)
        guard let first = words.first else { return }
        let name = first.hasSuffix("?") ? first.dropLast() : first
        for need in line.needs where need.name == name { want(need, words.dropFirst().first.map(String.init)) }
    }

    private mutating func want(_ need: CrateNeeds.Need, _ feature: String? = nil) {
        let need = feature.map(need.with) ?? need
        if seen.insert(need.crate).inserted { frontier.append(need.crate) }
        if let crate = crates[need.crate] {
            guard let line = crate.place(for: need.requirement) else { return }
            let place = Place(crate: need.crate, line: line)
            if let done = progress[place]?.features, done.isSuperset(of: need.features) { return }
            demands.append(Demand(place: place, features: need.features))
        } else {
            waiting[need.crate, default: []].append(need)
        }
    }
}

extension CrateNeeds.Need {
    fileprivate func with(_ feature: String) -> CrateNeeds.Need {
        CrateNeeds.Need(
            name: name, crate: crate, requirement: requirement, features: features + [feature],
            isOptional: isOptional)
    }
}
