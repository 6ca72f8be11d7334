import Registry

/// The way from the asked crates to what a resolver asks next by name alone, level by level and each name once: for edges
/// from before parts, to which everything travels as it is.
///
/// Breadth first, so that a limit cuts the far end off.
struct ClosureWalk: ClosureWay {
    static let readsNeeds = false

    private var seen: Set<IndexPath>
    private(set) var frontier: [IndexPath]
    private(set) var items: ClosureItems
    /// By name alone nobody can tell what is likely.
    var unknown: [IndexPath] { [] }

    /// - Parameter knowsAll: as for `ClosureItems`.
    init(_ question: ClosureQuestion, limits: ClosureItems.Limits = .init(), knowsAll: Bool = true) {
        items = ClosureItems(question, limits: limits, knowsAll: knowsAll)
        seen = []
        frontier = []
        frontier = question.roots.filter { seen.insert($0).inserted }
    }

    mutating func visit(_ found: [IndexPath: ClosureItems.Found]) {
        let level = frontier
        frontier = []
        var next: [IndexPath] = []
        for path in level {
            guard items.take(path, found[path]) else { return }
            for name in found[path]?.names ?? [] {
                guard let crate = try? CrateName(name), seen.insert(crate.indexPath).inserted else { continue }
                next.append(crate.indexPath)
            }
        }
        frontier = next
    }
}
