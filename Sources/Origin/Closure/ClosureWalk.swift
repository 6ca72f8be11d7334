import Registry

/// The way from the asked crates to what a resolver asks next, level by level and each name once.
///
/// Breadth first, so that a limit cuts the far end off. Pure: `ClosureStore` looks the names of each level up.
struct ClosureWalk {
    struct Limits {
        var filesMax = 1000
        /// Of the files that are sent. What the edge holds costs nothing.
        var bytesMax = 16 << 20
    }

    /// What the database says of a name; there is none for a name that is not in the repository.
    struct Found: Equatable {
        let crateID: Int64
        let tag: EntityTag
        let bytes: Int
        let names: [String]
    }

    private let held: Set<HeldMark>
    private let knowsAll: Bool
    private let roots: Set<IndexPath>
    private let limits: Limits
    private var seen: Set<IndexPath>
    private var bytes = 0
    /// The names to look up next; empty at the end.
    private(set) var frontier: [IndexPath]
    private(set) var items: [ClosureList.Item] = []
    /// The crates behind the `file` items, in their order.
    private(set) var files: [Found] = []

    /// - Parameter knowsAll: false if a name that is not found may be an upstream's that nobody asked for yet; of such
    ///   names only the roots, which were asked for, are called absent (I11).
    init(_ question: ClosureQuestion, limits: Limits = Limits(), knowsAll: Bool = true) {
        held = Set(question.held)
        self.knowsAll = knowsAll
        roots = Set(question.roots)
        self.limits = limits
        seen = []
        frontier = []
        frontier = question.roots.filter { seen.insert($0).inserted }
    }

    /// Takes what was found of the frontier.
    mutating func visit(_ found: [IndexPath: Found]) {
        let level = frontier
        frontier = []
        var next: [IndexPath] = []
        for path in level {
            guard items.count < limits.filesMax, take(path, found[path]) else { return }
            for name in found[path]?.names ?? [] {
                guard let crate = try? CrateName(name), seen.insert(crate.indexPath).inserted else { continue }
                next.append(crate.indexPath)
            }
        }
        frontier = next
    }

    /// - Returns: false if there is no more room.
    private mutating func take(_ path: IndexPath, _ found: Found?) -> Bool {
        guard let found else {
            if knowsAll || roots.contains(path) { items.append(ClosureList.Item(path, .absent)) }
            return true
        }
        guard !held.contains(HeldMark(path, found.tag)) else {
            items.append(ClosureList.Item(path, .same(found.tag)))
            return true
        }
        guard bytes + found.bytes <= limits.bytesMax else { return false }
        bytes += found.bytes
        items.append(ClosureList.Item(path, .file(found.tag, bytes: found.bytes)))
        files.append(found)
        return true
    }
}
