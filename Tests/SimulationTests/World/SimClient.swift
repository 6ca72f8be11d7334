/// One client: asks again and again, mostly the same edge, and remembers what it has seen.
final class SimClient {
    unowned let world: World
    private let place: Int
    private var home: Int
    private var seen: [UInt64]

    init(_ world: World, _ place: Int) {
        self.world = world
        self.place = place
        home = place % 3
        seen = [UInt64](repeating: 0, count: world.cast.count)
    }

    func start() { askSoon() }

    private func askSoon() {
        // Bursts, as a resolver sends them, and pauses between.
        let pause =
            world.dice.chance(percent: 80) ? world.dice.between(1000, 30_000) : world.dice.between(100_000, 400_000)
        world.after(pause) { [unowned self] in
            if world.isTurbulent { ask() }
            askSoon()
        }
    }

    private func ask() {
        if world.dice.chance(percent: 5) { home = world.dice.below(world.edges.count) }
        // Some names are hot.
        let cast = world.cast
        let number =
            world.dice.chance(percent: 40) ? world.dice.below(4) * 2 : world.dice.below(cast.filesCount)
        let token = world.dice.chance(percent: 15) ? nil : cast.firstToken + world.dice.below(Cast.tokens)
        world.ask(world.edges[home], number, token: token, witness: seen[number]) { [unowned self] answer in
            guard case .shown(let fact, _) = answer, case .file(let generation) = world.truth.facts[fact].state else {
                return
            }
            seen[number] = max(seen[number], generation)
        }
    }
}
