import NIOCore
import Registry

/// One cargo, from an empty process to the last file.
struct ResolveSession {
    let place: RegistryPlace
    let home: CargoHome
    let library: IndexLibrary
    let application: Application

    private var headers = CargoHeaders(token: nil)
    private var client: PatientClient
    private var followed = FollowedRedirects()
    private var record: SessionRecord
    private var random: SeededRandom
    private var ownWork = TimeAmount.zero
    private var template: DownloadTemplate?

    init(
        _ place: RegistryPlace, _ home: CargoHome, _ library: IndexLibrary, _ application: Application,
        intended: NIODeadline, random: SeededRandom
    ) throws {
        self.place = place
        self.home = home
        self.library = library
        self.application = application
        self.random = random
        client = try place.client(for: place.target)
        let now = NIODeadline.now()
        record = SessionRecord(
            kind: .resolution, name: application.name, intended: intended, began: now, ended: now)
    }

    mutating func run() async -> SessionRecord {
        if await readConfiguration() {
            await resolve()
        } else {
            record.hasFailed = true
        }
        record.steps.append(("own work", .nanoseconds(ownWork.nanoseconds)))
        record.connections += client.wire.connectionsOpened
        await client.wire.close()
        record.connections += await followed.close()
        return record
    }

    /// Alone, and never with a tag. Only a 401 here makes cargo use its token.
    private mutating func readConfiguration() async -> Bool {
        if home.knowsThatTokenIsNeeded { headers.token = place.token }
        for _ in 0..<2 {
            let request = WireRequest(
                path: place.path + "config.json", fields: headers.index(known: nil), keepsBody: true)
            guard case .success(let answer) = await ask([request], "config.json").first else { return false }
            if answer.status == 401, headers.token == nil, let token = place.token {
                // That question belongs to cargo's way; it is no error.
                record.errors["status 401"] = nil
                headers.token = token
                continue
            }
            return accept(answer)
        }
        return false
    }

    private mutating func accept(_ answer: WireAnswer) -> Bool {
        guard answer.status == 200 else {
            // Those from 400 on are counted already, but for this one.
            if answer.status < 400 || answer.status == 404 {
                record.errors["no config.json (\(answer.status))", default: 0] += 1
            }
            return false
        }
        guard let text = IndexLibrary.text(of: answer), let configuration = ReadConfiguration(parsing: text) else {
            record.errors["config.json has no `dl`, or is no JSON", default: 0] += 1
            return false
        }
        template = DownloadTemplate(text: configuration.dl)
        if configuration.authRequired == true {
            home.noteNeedOfToken()
            headers.token = place.token
        }
        return true
    }

    private mutating func resolve() async {
        var plan = application.plan
        while true {
            switch plan.step {
            case .ask(let paths):
                guard let answers = await round(paths) else { return }
                let began = NIODeadline.now()
                plan = plan.after(answers, library)
                ownWork = ownWork + (.now() - began)
            case .giveUp(let paths, let reason):
                if !paths.isEmpty { _ = await round(paths) }
                record.errors["no resolution: \(reason)", default: 0] += 1
                record.hasFailed = true
                return
            case .done(let crates):
                if home.kind == .locked { await download(crates) }
                return
            }
        }
    }

    /// - Returns: nil if cargo would end here.
    private mutating func round(_ paths: [IndexPath]) async -> [IndexLibrary.ContentID]? {
        let requests = zip(paths, home.validators(paths)).map { path, validator in
            WireRequest(path: place.path + "\(path)", fields: headers.index(known: validator), keepsBody: true)
        }
        let outcomes = await ask(requests, "round")
        let began = NIODeadline.now()
        defer { ownWork = ownWork + (.now() - began) }
        var contents: [IndexLibrary.ContentID] = []
        for (path, outcome) in zip(paths, outcomes) {
            guard case .success(let answer) = outcome else {
                record.hasFailed = true
                continue
            }
            guard let content = home.content(path, answer, library) else {
                // Those from 400 on are counted already.
                if answer.status < 400 { record.errors["no index file (\(answer.status))", default: 0] += 1 }
                record.hasFailed = true
                continue
            }
            switch answer.status {
            case 304: record.notModified += 1
            case 404: record.errors["no such crate (404)", default: 0] += 1
            default: break
            }
            contents.append(content)
        }
        return contents.count == paths.count ? contents : nil
    }

    private mutating func ask(_ requests: [WireRequest], _ step: String) async -> [WireOutcome] {
        let began = NIODeadline.now()
        var (outcomes, tally) = await client.ask(requests, &random)
        tally.add(await followed.follow(&outcomes, of: requests, from: place, &random))
        record.ended = .now()
        record.rounds += 1
        record.steps.append((step, .nanoseconds((record.ended - began).nanoseconds)))
        add(tally)
        return outcomes
    }

    private mutating func download(_ crates: [LockFile.Locked]) async {
        guard let template, !crates.isEmpty else { return }
        let began = NIODeadline.now()
        let downloads = CrateDownloads(place: place, template: template, token: headers.token)
        let (tally, connections, failed) = await downloads.run(crates, &random)
        record.ended = .now()
        record.rounds += 1
        record.connections += connections
        record.steps.append(("crates", .nanoseconds((record.ended - began).nanoseconds)))
        if failed > 0 { record.hasFailed = true }
        add(tally)
    }

    private mutating func add(_ tally: PatientClient.Tally) {
        record.requests += tally.requests
        record.retries += tally.retries
        record.bytes += tally.bytes
        record.spoken = record.spoken + tally.spoken
        record.errors.merge(tally.errors) { $0 + $1 }
    }
}
