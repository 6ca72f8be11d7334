import NIOCore
import Registry
import Testing

@testable import EdgeCache

/// A seeded origin, feed and clients around the core: whatever the order of things, I4 and I5 hold.
struct CoreSimulationTests {
    /// SplitMix64: the same numbers on every machine.
    struct Dice: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }

    /// The truth: each crate's generation after each position.
    struct Origin {
        var head: UInt64 = 0
        var changed: [Int] = []
        var generations: [[(position: UInt64, generation: UInt64)]]

        init(crates: Int) { generations = Array(repeating: [(0, 1)], count: crates) }

        mutating func publish(_ crate: Int) {
            head += 1
            changed.append(crate)
            let last = generations[crate][generations[crate].count - 1].generation
            generations[crate].append((head, last + 1))
        }

        func generation(of crate: Int, at position: UInt64) -> UInt64 {
            generations[crate].last { $0.position <= position }?.generation ?? 0
        }
    }

    struct World {
        var dice: Dice
        var origin = Origin(crates: 6)
        var scene = CoreScene(applied: 0, fillsMax: 2)
        /// Questions under way, with the snapshot that each will be answered from, once it was taken.
        var flights: [(ticket: FetchTicket, crate: Int, snapshot: UInt64?)] = []
        /// Fills under way: what is still to be handed over of the answer, once its snapshot was taken.
        var fills: [(ticket: FillTicket, snapshot: UInt64?, isListed: Bool, rest: [Int])] = []
        var gathered: [(id: UInt64, crate: Int)] = []
        var served = 0
        var filled = 0
        /// By crate: the oldest generation that may still be served. Events raise it; a reset does not, because nobody
        /// knows what it passed over, and the edge may go on with what it holds if the origin is silent.
        var floors = [UInt64](repeating: 0, count: 6)

        func key(_ crate: Int) -> CacheKey { CacheKey(path: ByteBuffer(string: "/main/index/1/\(crate)")) }

        mutating func step() {
            scene.pass(.milliseconds(Int.random(in: 0...100, using: &dice)))
            switch Int.random(in: 0..<13, using: &dice) {
            case 0 where Int.random(in: 0..<4, using: &dice) == 0: origin.publish(Int.random(in: 0..<6, using: &dice))
            case 1, 2: deliver()
            case 3:
                if scene.core.feed.applied == origin.head { scene.core.heardLease(head: origin.head, at: scene.now) }
            case 4: readSnapshot()
            case 5: answer()
            case 6 where Int.random(in: 0..<20, using: &dice) == 0:
                scene.core.reset(to: origin.head, at: scene.now)
            case 7: beginFill()
            case 8, 9: advanceFill()
            default: ask(Int.random(in: 0..<6, using: &dice))
            }
        }

        private mutating func deliver() {
            let next = scene.core.feed.applied + 1
            guard next <= origin.head else { return }
            let crate = origin.changed[Int(next) - 1]
            floors[crate] = origin.generation(of: crate, at: next)
            for ticket in scene.event(next, .drop(key(crate), .index)) { flights.append((ticket, crate, nil)) }
        }

        private mutating func ask(_ crate: Int) {
            switch scene.core.ask(scene.question(key(crate)), at: scene.now) {
            case .serve(let value):
                check(value, crate)
                #expect(value.generation >= origin.generation(of: crate, at: scene.core.feed.applied))
            case .serveStale(let value): check(value, crate)
            case .start(let ticket): flights.append((ticket, crate, nil))
            case .gather(let ticket): gathered.append((ticket.id, crate))
            case .join, .refuse: break
            }
        }

        private mutating func readSnapshot() {
            guard let place = flights.indices.randomElement(using: &dice), flights[place].snapshot == nil else {
                return
            }
            // A replica of the database may be behind.
            flights[place].snapshot = origin.head - UInt64.random(in: 0...min(2, origin.head), using: &dice)
        }

        private mutating func answer() {
            guard let place = flights.indices.randomElement(using: &dice), let snapshot = flights[place].snapshot else {
                return
            }
            let (ticket, crate, _) = flights.remove(at: place)
            let isLost = Int.random(in: 0..<8, using: &dice) == 0
            let value = CoreScene.value(origin.generation(of: crate, at: snapshot))
            let answer: FetchAnswer = isLost ? .failed(isUnreachable: true) : .value(value, position: snapshot)
            switch scene.core.finished(ticket.id, answer, at: scene.now) {
            case .again(let next): flights.append((next, crate, nil))
            case .value(let value): check(value, crate)
            case .failed:
                if let held = scene.core.fallback(for: scene.question(key(crate)), at: scene.now) { check(held, crate) }
            }
        }

        private mutating func beginFill() {
            guard let name = try? RepositoryName("main"),
                let ticket = scene.core.beginFill(gathered.map(\.id), of: name)
            else {
                gathered = []
                return
            }
            gathered = []
            fills.append((ticket, nil, false, Array(0..<6).shuffled(using: &dice)))
        }

        /// One step of a fill: its snapshot, its list, one of its files, or its end; now and then it breaks off.
        private mutating func advanceFill() {
            guard let place = fills.indices.randomElement(using: &dice) else { return }
            let fill = fills[place]
            guard let snapshot = fill.snapshot else {
                fills[place].snapshot = origin.head - UInt64.random(in: 0...min(2, origin.head), using: &dice)
                return
            }
            let failures: [FillFailure?] =
                [.unreachable, .refused, .refused, .refused]
                + (Int.random(in: 0..<10, using: &dice) == 0 ? [.unknown] : [])
            let isCut = Int.random(in: 0..<20, using: &dice) == 0
            guard !isCut, !fill.isListed || !fill.rest.isEmpty else {
                fills.remove(at: place)
                let failure = isCut ? failures.randomElement(using: &dice) ?? nil : nil
                scene.core.fillEnded(fill.ticket.id, failure, at: scene.now).forEach { take($0) }
                return
            }
            guard fill.isListed else {
                fills[place].isListed = true
                let items = fill.rest.map { crate in
                    let tag = CoreScene.value(origin.generation(of: crate, at: snapshot)).tag
                    let isHeld = tag.map { tag in fill.ticket.held.contains { $0.key == key(crate) && $0.tag == tag } }
                    return FillItem(key(crate), tag.map { isHeld == true ? .same($0) : .file($0) } ?? .absent)
                }
                scene.core.announced(fill.ticket.id, items, position: snapshot, at: scene.now).ends.forEach { take($0) }
                return
            }
            let crate = fills[place].rest.removeLast()
            let value = CoreScene.value(origin.generation(of: crate, at: snapshot))
            guard let end = scene.core.filled(fill.ticket.id, key(crate), value, at: scene.now) else { return }
            if case .value = end.outcome { filled += 1 }
            take(end)
        }

        private mutating func take(_ end: FillEnd) {
            switch end.outcome {
            case .again(let ticket):
                guard let crate = (0..<6).first(where: { key($0) == ticket.key }) else { return }
                flights.append((ticket, crate, nil))
            case .value(let value):
                guard let crate = (0..<6).first(where: { scene.core.held(key($0))?.payload === value.payload }) else {
                    return
                }
                check(value, crate)
            case .failed: break
            }
        }

        /// I4: nothing that an applied change replaced.
        private mutating func check(_ value: CachedValue, _ crate: Int) {
            served += 1
            #expect(value.generation >= floors[crate])
        }
    }

    @Test(arguments: 1...100 as ClosedRange<UInt64>)
    func `nothing replaced is ever served again`(seed: UInt64) {
        var world = World(dice: Dice(state: seed))
        for _ in 0..<5000 {
            world.step()
            // Room for other things: the name is as good as unknown.
            let forgotten = world.dice.next() % 60
            if forgotten < 6 { world.scene.core.forget(world.key(Int(forgotten))) }
        }
        #expect(world.served > 100, "seed \(seed) served too little to show anything")
        #expect(world.filled > 3, "seed \(seed) filled too little to show anything")
    }
}
