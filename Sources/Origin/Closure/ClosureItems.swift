import Registry

/// What a closure has gathered: the lines of its list, and the crates whose files follow. Pure.
struct ClosureItems {
    struct Limits {
        var filesMax = 1000
        /// Of the files that are sent. What the edge holds costs nothing.
        var bytesMax = 16 << 20
    }

    /// What the database says of a name; there is none for a name that is not in the repository.
    struct Found {
        let crateID: Int64
        let tag: EntityTag
        let bytes: Int
        /// For `ClosureWalk`.
        var names: [String] = []
        /// For `ResolverWalk`.
        var needs: CrateNeeds?
    }

    private let held: Set<HeldMark>
    private let limits: Limits
    /// The only names that may be called absent; nil: every one.
    private let asked: Set<IndexPath>?
    private var bytes = 0
    private(set) var list: [ClosureList.Item] = []
    /// The crates behind the `file` items, in their order.
    private(set) var files: [Found] = []

    /// - Parameter knowsAll: false if a name that is not found may be an upstream's that nobody asked for yet; of such names
    ///   only the roots, which were asked for, are called absent (I11).
    init(_ question: ClosureQuestion, limits: Limits, knowsAll: Bool) {
        held = Set(question.held)
        self.limits = limits
        asked = knowsAll ? nil : Set(question.roots)
    }

    /// - Returns: false if there is no more room.
    mutating func take(_ path: IndexPath, _ found: Found?) -> Bool {
        guard list.count < limits.filesMax else { return false }
        guard let found else {
            if asked?.contains(path) ?? true { list.append(ClosureList.Item(path, .absent)) }
            return true
        }
        guard !held.contains(HeldMark(path, found.tag)) else {
            list.append(ClosureList.Item(path, .same(found.tag)))
            return true
        }
        guard bytes + found.bytes <= limits.bytesMax else { return false }
        bytes += found.bytes
        list.append(ClosureList.Item(path, .file(found.tag, bytes: found.bytes)))
        files.append(found)
        return true
    }
}

/// A way from the asked crates to what a resolver asks next. Pure: `ClosureStore` looks the names of each level up.
protocol ClosureWay: Sendable {
    /// The names to look up next, each once; empty at the end.
    var frontier: [IndexPath] { get }
    var items: ClosureItems { get }
    /// Names that are not here and that a resolver is likely to ask for; upstreams may have them.
    var unknown: [IndexPath] { get }
    /// Whether `Found.needs` is wanted, or `names`.
    static var readsNeeds: Bool { get }

    /// Takes what was found of the frontier.
    mutating func visit(_ found: [IndexPath: ClosureItems.Found])
}
