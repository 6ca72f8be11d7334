import Registry

@testable import Edge
@testable import EdgeCache

extension SimEdge {
    /// `CacheDesk.ask`: an answer at once, or later for whoever waits.
    func ask(_ question: CacheQuestion, for request: Int) {
        let step = book.ask(question, request, at: moment)
        if let started = step.started { run(started) }
        if let finding = step.finding { answered(request, finding) }
        if let place = step.mayGiveUp {
            after(1_000_000) { [unowned self] in
                if let (request, finding) = book.gaveUp(place, at: moment) { answered(request, finding) }
            }
        }
    }

    /// `CacheDesk.run`.
    func run(_ ticket: FetchTicket) {
        let replica = world.replicas[world.dice.below(world.replicas.count)]
        let begun = world.now
        if world.now < cutOffUntil {
            return after(world.dice.between(1000, 2_000_000)) { [unowned self] in
                finished(ticket, .failed(isUnreachable: true))
            }
        }
        let life = self.life
        let slow = world.isTurbulent && world.dice.chance(percent: 4) ? 800_000 : 0
        world.after(world.dice.between(300, 40_000 + slow)) { [unowned self] in
            guard self.life == life else { return }
            guard replica.isUp, replica.reachesDatabase else {
                return after(world.dice.between(300, 100_000)) { [unowned self] in
                    finished(ticket, .failed(isUnreachable: true))
                }
            }
            let answer = read(ticket)
            world.note(name, "is answered from", key: world.number(ticket.key), world.database.head, UInt64(begun))
            after(world.dice.between(300, 40_000 + slow)) { [unowned self] in
                let isLost = world.now < cutOffUntil || (world.isTurbulent && world.dice.chance(percent: 1))
                finished(ticket, isLost ? .failed(isUnreachable: true) : answer)
            }
        }
    }

    /// One snapshot of the origin's database.
    private func read(_ ticket: FetchTicket) -> FetchAnswer {
        let position = world.database.head
        guard ticket.kind != .repositories else {
            guard let value = try? world.makeTable(world.repositoryList()).value() else {
                return .failed(isUnreachable: false)
            }
            return .value(value, position: position)
        }
        // Asked for when they change; as from an origin that has none, since signed URLs are not simulated.
        guard ticket.kind != .keys else { return .failed(isUnreachable: false) }
        let number = world.number(ticket.key)
        let fact = world.truth.now(number)
        let group = world.cast[number].group
        switch fact.state {
        case .absent where ticket.kind == .token: return .value(.absent(group: .noToken), position: position)
        case .absent: return .value(.absent(group: group), position: position)
        case .token(let reads): return .value(world.verdict(fact, number, reads).value, position: position)
        case .file where fact.tag != nil && ticket.known?.tag == fact.tag: return .same(position: position)
        case .file, .allowed, .blocked, .isPrivate:
            return .value(HeldFact(fact.id).value(tag: fact.tag, group: group), position: position)
        }
    }

    private func finished(_ ticket: FetchTicket, _ answer: FetchAnswer) {
        let (next, answers) = book.finished(ticket.id, answer, at: moment)
        for (request, finding) in answers { answered(request, finding) }
        if let next {
            world.note(name, "asks again", key: world.number(ticket.key), ghost.applied, 0)
            run(next)
        }
    }

    private func answered(_ request: Int, _ finding: Finding) {
        guard let found = requests[request] else { return }
        found.goOn(with: finding)
    }
}
