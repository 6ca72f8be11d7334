import Registry

/// Which crate depends on which, for crates in the order of their dependents, most first.
///
/// A crate depends on more popular ones only, each chosen as often as its real number of dependents says. So there are
/// no cycles, closures stay as small as real ones, and the most used crates are the same. How many a crate depends on
/// follows from the room in its index lines; the sum over all crates is that of the real registry.
struct CorpusPlan: Sendable {
    /// A dependency takes so many bytes of an index line, more or less.
    static let dependencyBytes = 125
    static let dependenciesMax = 60

    let crates: [CrateSize]
    let seed: UInt64
    /// By place in `crates`.
    let dependencies: [[Int]]

    init(_ crates: [CrateSize], seed: UInt64) {
        self.crates = crates
        self.seed = seed
        let draw = WeightedDraw(crates.map(\.dependents))
        let rooms = crates.map(Self.room)
        let wanted = crates.reduce(0) { $0 + $1.dependents }
        let share = min(1, Double(wanted) / Double(max(1, rooms.reduce(0, +))))
        dependencies = crates.indices.map { place in
            var dice = CorpusDice(seed: seed, stream: place)
            let exact = Double(rooms[place]) * share
            let count = Int(exact) + (Double.random(in: 0..<1, using: &dice) < exact - Double(Int(exact)) ? 1 : 0)
            return Self.choose(count, below: place, draw, &dice)
        }
    }

    /// How many crates depend on each.
    var dependents: [Int] {
        var counts = [Int](repeating: 0, count: crates.count)
        for chosen in dependencies { for place in chosen { counts[place] += 1 } }
        return counts
    }

    private static func room(_ crate: CrateSize) -> Int {
        let spare = crate.bytes / crate.versions - crate.name.spelling.utf8.count - IndexLineMaker.emptyBytes
        return max(0, min(dependenciesMax, spare / dependencyBytes))
    }

    private static func choose(
        _ count: Int, below place: Int, _ draw: WeightedDraw, _ dice: inout CorpusDice
    ) -> [Int] {
        var chosen: Set<Int> = []
        // The most popular crates have few above them: not every draw finds a new one.
        for _ in 0..<(count * 4) where chosen.count < min(count, place) {
            if let found = draw.draw(below: place, using: &dice) { chosen.insert(found) }
        }
        return chosen.sorted()
    }
}
