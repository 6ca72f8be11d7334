import Registry

/// The way from the asked crates to what a resolver asks next, as a resolver goes: the highest version that fits each
/// requirement, and the features that are switched on. Level by level, each name once.
///
/// Of the asked crates nobody knows here which version is wanted, nor with which features. So they are followed in steps, what is
/// most likely first: default features of the newest two lines, then all features of the newest one, then older lines. What
/// is wrong about that comes last, and a limit cuts it off. Figures: docs/decisions/0007-closure-fill.md
struct ResolverWalk: ClosureWay {
    static let readsNeeds = true

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

    /// How the asked crates are followed.
    private struct Step {
        let linesMax: Int
        let wantsAll: Bool
    }

    private static let steps = [
        Step(linesMax: 2, wantsAll: false), Step(linesMax: 1, wantsAll: true), Step(linesMax: 4, wantsAll: true),
    ]
    /// No closure of a real registry comes near; a crafted index must not keep a replica busy.
    private static let followedMax = 50_000

    private let roots: [IndexPath]
    private var steps = Self.steps[...]
    private var seen: Set<IndexPath>
    private var crates: [IndexPath: CrateNeeds] = [:]
    /// What is wanted of crates that are not looked up yet.
    private var waiting: [IndexPath: [CrateNeeds.Need]] = [:]
    private var progress: [Place: Progress] = [:]
    private var demands: [Demand] = []
    private var followed = 0
    private(set) var frontier: [IndexPath]
    private(set) var items: ClosureItems

    /// - Parameter knowsAll: as for `ClosureItems`.
    init(_ question: ClosureQuestion, limits: ClosureItems.Limits = .init(), knowsAll: Bool = true) {
        items = ClosureItems(question, limits: limits, knowsAll: knowsAll)
        var seen: Set<IndexPath> = []
        roots = question.roots.filter { seen.insert($0).inserted }
        self.seen = seen
        frontier = roots
    }

    mutating func visit(_ found: [IndexPath: ClosureItems.Found]) {
        let level = frontier
        frontier = []
        for path in level {
            guard items.take(path, found[path]) else {
                frontier = []
                return
            }
            crates[path] = found[path]?.needs
            for need in waiting.removeValue(forKey: path) ?? [] { want(need) }
        }
        follow()
        while frontier.isEmpty, let step = steps.popFirst() {
            for root in roots { begin(root, step) }
            follow()
        }
    }

    private mutating func begin(_ root: IndexPath, _ step: Step) {
        for line in 0..<min(step.linesMax, crates[root]?.versions.count ?? 0) {
            demands.append(
                Demand(place: Place(crate: root, line: line), features: ["default"], wantsAll: step.wantsAll))
        }
    }

    /// Draws the consequences of all demands; what they lead to and is not looked up yet becomes the frontier.
    private mutating func follow() {
        var next = 0
        while next < demands.count, followed < Self.followedMax {
            follow(demands[next])
            next += 1
        }
        demands = []
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
