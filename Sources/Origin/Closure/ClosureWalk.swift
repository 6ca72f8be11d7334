import Registry

/// The way from the asked crates to what a resolver asks next, level by level and each name once.
///
/// Breadth first, so that a limit cuts the far end off. First all that is certain; a wide walk then follows what is only
/// likely (`NextNames`), and last what other features of the asked crates themselves lead to, so that what nobody will ask
/// comes at the end. Pure: `ClosureStore` looks the names of each level up.
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
        var likely: [String] = []
        var optional: [String] = []
    }

    private let held: Set<HeldMark>
    private let limits: Limits
    private let isWide: Bool
    private let roots: Set<IndexPath>
    private var seen: Set<IndexPath>
    /// Names to follow when all before them are looked up.
    private var likely: [String] = []
    private var optional: [String] = []
    private var bytes = 0
    /// The names to look up next; empty at the end.
    private(set) var frontier: [IndexPath]
    private(set) var items: [ClosureList.Item] = []
    /// The crates behind the `file` items, in their order.
    private(set) var files: [Found] = []

    init(_ question: ClosureQuestion, isWide: Bool = false, limits: Limits = Limits()) {
        held = Set(question.held)
        roots = Set(question.roots)
        self.isWide = isWide
        self.limits = limits
        seen = []
        frontier = []
        frontier = question.roots.filter { seen.insert($0).inserted }
    }

    /// Takes what was found of the frontier.
    mutating func visit(_ found: [IndexPath: Found]) {
        let level = frontier
        frontier = []
        var next: [String] = []
        for path in level {
            guard items.count < limits.filesMax, take(path, found[path]) else { return }
            guard let found = found[path] else { continue }
            next += found.names
            likely += found.likely
            if roots.contains(path) { optional += found.optional }
        }
        frontier = unseen(next)
        guard isWide else { return }
        if frontier.isEmpty {
            frontier = unseen(likely)
            likely = []
        }
        if frontier.isEmpty {
            frontier = unseen(optional)
            optional = []
        }
    }

    private mutating func unseen(_ names: [String]) -> [IndexPath] {
        names.compactMap { name in
            guard let path = try? CrateName(name).indexPath, seen.insert(path).inserted else { return nil }
            return path
        }
    }

    /// - Returns: false if there is no more room.
    private mutating func take(_ path: IndexPath, _ found: Found?) -> Bool {
        guard let found else {
            items.append(ClosureList.Item(path, .absent))
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
