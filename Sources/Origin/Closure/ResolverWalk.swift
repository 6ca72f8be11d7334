import Registry

/// The way from the asked crates to what a resolver asks next, as a resolver goes: the highest version that fits each
/// requirement, and the features that are switched on. Level by level, each name once.
///
/// Of the asked crates nobody knows here which version is wanted, nor with which features. So they are followed in steps, what is
/// most likely first: default features of the newest two lines, then all features of the newest one, then older lines. What
/// is wrong about that comes last, and a limit cuts it off. Figures: docs/decisions/0007-closure-fill.md
struct ResolverWalk: ClosureWay {
    static let readsNeeds = true

    /// How the asked crates are followed.
    struct Step {
        let linesMax: Int
        let wantsAll: Bool
    }

    /// What is most likely.
    static let first = Step(linesMax: 2, wantsAll: false)
    private static let steps = [
        first, Step(linesMax: 1, wantsAll: true), Step(linesMax: 4, wantsAll: true),
    ]

    private let roots: [IndexPath]
    private var steps = Self.steps[...]
    private var graph: NeedsGraph
    private(set) var frontier: [IndexPath]
    private(set) var items: ClosureItems
    /// Of the first step alone: what the others lead to is asked for by few.
    private(set) var unknown: [IndexPath] = []

    /// - Parameter knowsAll: as for `ClosureItems`.
    init(_ question: ClosureQuestion, limits: ClosureItems.Limits = .init(), knowsAll: Bool = true) {
        items = ClosureItems(question, limits: limits, knowsAll: knowsAll)
        var seen: Set<IndexPath> = []
        roots = question.roots.filter { seen.insert($0).inserted }
        graph = NeedsGraph(roots)
        frontier = roots
    }

    mutating func visit(_ found: [IndexPath: ClosureItems.Found]) {
        let level = frontier
        frontier = []
        for path in level {
            guard items.take(path, found[path]) else { return }
            if found[path] == nil, steps.count >= Self.steps.count - 1 { unknown.append(path) }
            graph.learn(path, found[path]?.needs)
        }
        frontier = graph.next()
        while frontier.isEmpty, let step = steps.popFirst() {
            for root in roots { graph.begin(root, linesMax: step.linesMax, wantsAll: step.wantsAll) }
            frontier = graph.next()
        }
    }
}
