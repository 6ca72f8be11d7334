import ArgumentParser
import FoundationEssentials
import Registry
import Synchronization

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Looks at a repository from outside and says what to change.",
        discussion: """
            Asks the index URL as cargo does, through whatever proxies stand before the origin: addresses in config.json,
            login, ETag and 304, 404, compression, download, HTTP/2, upload limit, clock, latency. It changes nothing.

              longshore-origin doctor sparse+https://crates.example/main/index/
              LONGSHORE_TOKEN=lsh_t… longshore-origin doctor https://crates.example/secret/index/ --json

            Exit code: 0 if cargo can work with it, 1 if there is a problem; warnings do not count.
            """)

    @Argument(help: "The index URL, as in cargo's configuration.") var url: String
    @Option(help: "The crate to look at; otherwise the first that search finds.") var crate: String?
    @Option(help: "How large an upload is announced, in MiB; not a byte of it is sent.") var uploadMib = 64
    @Flag(help: "Prints JSON.") var json = false

    func validate() throws {
        if let crate, (try? CrateName(crate)) == nil { throw ValidationError("`\(crate)` is no name of a crate") }
        if !(1...(1 << 20)).contains(uploadMib) { throw ValidationError("--upload-mib takes 1 to 1048576") }
    }

    func run() async throws {
        let findings = FindingList()
        let isJSON = json
        let client = DoctorClient(token: ProcessInfo.processInfo.environment["LONGSHORE_TOKEN"])
        let doctor = Doctor(
            client: client, uploadBytes: uploadMib << 20, crate: crate.flatMap { try? CrateName($0) },
            now: { Date.now.timeIntervalSince1970 }
        ) { finding in
            findings.add(finding)
            if !isJSON { print(finding.line) }
        }
        await doctor.examine(url)
        try await client.close()
        if json { print(try CommandOutput.json(findings.all)) }
        if findings.all.contains(where: { $0.verdict == .problem }) { throw ExitCode(1) }
    }
}

/// Findings in the order of the checks.
final class FindingList: Sendable {
    private let findings = Mutex<[Finding]>([])

    var all: [Finding] { findings.withLock { $0 } }

    func add(_ finding: Finding) { findings.withLock { $0.append(finding) } }
}
