import ArgumentParser
import FoundationEssentials

/// `longshore-bench fanout`: how fast one origin replica tells many edges.
struct FanoutCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fanout",
        abstract: "Measures how fast one origin replica tells many subscribers of its feed of a change.",
        discussion: """
            Publishes one small crate of a name of its own, opens the subscribers, and then
            yanks and unyanks that version at the given rate. Each subscriber is a feed stream
            as an edge opens it, and acknowledges as an edge does (--no-acks: it does not,
            and then the origin answers each change half a second late).

            From outside nobody sees the moment of a commit. It lies between the sending of the
            request and the first receipt of any subscriber, so two figures enclose the truth:

              since request  from the request's sending to each subscriber's receipt: the upper bound
              since first    from the first subscriber's receipt to each other's: the lower bound

              longshore-bench fanout http://127.0.0.1:8080 --credential-file eu.credential \\
                  --token-file token --subscribers 1000 --stuck 10 --pid $(pidof longshore-origin)

            The token needs publish-new and yank. Measure against a registry of your own: edges
            hear of every change, and publishing the crate cannot be undone.
            """)

    @Argument(help: "Base address of one origin replica.") var originURL: String
    @Option(help: ArgumentHelp("An edge's credential, of `longshore-origin edge create`.", valueName: "path"))
    var credentialFile: String
    @Option(help: ArgumentHelp("A token that may publish and yank.", valueName: "path")) var tokenFile: String
    @Option(help: "The repository in which changes are made.") var repository = "main"
    @Option(help: "Feed streams that read, 1 to 4000.") var subscribers = 1000
    @Option(help: "Further streams that stop reading after the head, 0 to 1000.") var stuck = 0
    @Option(help: "Changes, 1 to 1000.") var events = 50
    @Option(help: "Changes a second, at most.") var rate = 2.0
    @Flag(inversion: .prefixedNo, help: "Subscribers acknowledge, as edges do.") var acks = true
    @Option(help: "The replica's process on this machine, whose memory is read.") var pid: Int?
    @Flag(help: "Prints JSON.") var json = false
    @Option(help: ArgumentHelp("PEM certificates to trust beside the system's.", valueName: "path")) var caFile: String?

    func validate() throws {
        guard (1...4000).contains(subscribers) else { throw ValidationError("--subscribers takes 1 to 4000") }
        guard (0...1000).contains(stuck) else { throw ValidationError("--stuck takes 0 to 1000") }
        guard (1...1000).contains(events) else { throw ValidationError("--events takes 1 to 1000") }
        guard rate > 0, rate <= 1000 else { throw ValidationError("--rate takes a number above 0, 1000 at most") }
    }

    func run() async throws {
        guard let base = WebBase(originURL) else {
            throw BenchFailure(
                "`\(originURL)` is no plain URL: give the origin's address, such as http://127.0.0.1:8080")
        }
        let credential = try SecretText.read(credentialFile, flag: "--credential-file")
        let token = try SecretText.read(tokenFile, flag: "--token-file")
        try OpenFiles.allow(subscribers + stuck + 256)
        let tls = try Trust.configuration(caFile: caFile)
        let (plan, pid) = (
            FanoutRun.Plan(subscribers: subscribers, stuck: stuck, events: events, rate: rate, isAcknowledging: acks),
            pid
        )
        let report = try await Web.with(tls: tls, connectionsMax: Acknowledger.connectionsMax) { web in
            let publisher = Publisher(web: web, api: "\(base.url)/\(repository)", token: token)
            let run = FanoutRun(base: base, plan: plan, publisher: publisher, credential: credential, pid: pid)
            return try await run.measure(tls: tls)
        }
        print(json ? try Console.json(report) : report.text)
        guard report.lost == 0 else {
            throw BenchFailure("\(report.lost) receipts never came: the origin lost events, or was too slow by far")
        }
    }
}

/// Secrets come from files, never from the command line, which every user of the machine can read.
enum SecretText {
    /// - Throws: `BenchFailure` if the file holds none.
    static func read(_ path: String, flag: String) throws(BenchFailure) -> String {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8),
            let secret = text.split(whereSeparator: \.isWhitespace).first
        else { throw BenchFailure("\(path) holds no secret; check \(flag)") }
        return String(secret)
    }
}
