import Foundation
import Launchers
import Testing

@Suite struct SlurmJobTests {
  private func job(_ time: String = "8:00:00") throws -> SlurmJob {
    var job = SlurmJob(time: try SlurmTime(time), logs: "/home/ada/logs", program: "/opt/groksweep")
    job.join = "/home/ada/lab.join"
    return job
  }

  private func refusal(_ change: (inout SlurmJob) -> Void) throws -> String {
    var job = try job()
    change(&job)
    do {
      _ = try job.script(tasks: 1)
      return "nothing"
    } catch { return "\(error)" }
  }

  @Test func `a walltime is read as sbatch reads it`() throws {
    let times = [
      ("90", 5400), ("1:30", 90), ("8:00:00", 28_800), ("1-12", 129_600), ("0-0:30", 1800), ("2-01:00:05", 176_405),
    ]
    for (text, seconds) in times { #expect(try SlurmTime(text).seconds == seconds, "\(text)") }
    for text in ["", "8h", "0", "0:59", ":", "1:2:3:4", "1-", "-5", "1-2-3", "+60", "999999999999", "400-0"] {
      #expect(throws: SlurmError.self, "\(text)") { try SlurmTime(text) }
    }
  }

  @Test func `the script asks for an array of allocations that are told to end before their walltime does`() throws {
    var job = try job()
    job.cpusPerTask = 4
    job.partition = "long"
    job.sbatchOptions = ["--constraint=zen4&avx512"]
    #expect(job.tasks(forWorkers: 9) == 3)
    let lines = try job.script(tasks: 3).split(separator: "\n").map(String.init)
    #expect(lines[0] == "#!/bin/bash")
    for line in [
      "--array=1-3", "--cpus-per-task=4", "--time=8:00:00", "--signal=B:TERM@120", "--requeue", "--partition=long",
      "--constraint=zen4&avx512", "--output=/home/ada/logs/%x-%A_%a.log",
    ] { #expect(lines.contains("#SBATCH \(line)"), "\(line)") }
    #expect(!lines.contains { $0.contains("--account") })
    let command = "exec /opt/groksweep worker --slots 4 --join /home/ada/lab.join --deadline \"${left}s\""
    #expect(lines.last?.hasPrefix(command) == true, "\(lines.last ?? "")")
  }

  @Test func `a short walltime leaves a quarter of itself for handing back`() throws {
    #expect(try job("1:00").margin == 15)
    #expect(try job("8").margin == 120)
  }

  @Test func `bash reads the script, and the words in it are those that were given`() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "it's a \"$HOME\" `x` \(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let program = folder.appending(path: "grok sweep")
    try "#!/bin/sh\nfor word; do echo \"<$word>\"; done\n".write(to: program, atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program.path)
    var job = SlurmJob(time: try SlurmTime("10:00"), logs: "/logs", program: program.path)
    job.join = "/join file's \"name\""
    // What follows the variable is no command of the node.
    job.scratch = "$FAST/`false` $(false) \\ \"x\""
    let script = try job.script(tasks: 1).replacing("mkdir -p", with: "true")
      .replacing("[ ! -O", with: "[ ! -n").replacing("[ -O", with: "[ -n")
    var words = ""
    var status: Int32 = 126
    // A program that was just written may be open for writing in a child that another test has just begun.
    for _ in 0..<100 where status == 126 {
      let shell = Process()
      shell.executableURL = URL(fileURLWithPath: "/bin/bash")
      shell.arguments = ["-c", script]
      shell.environment = ["PATH": "/usr/bin:/bin", "FAST": "/fast disk", "SLURMD_NODENAME": "n7"]
      let output = Pipe()
      shell.standardOutput = output
      shell.standardError = FileHandle.nullDevice
      try shell.run()
      words = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      shell.waitUntilExit()
      status = shell.terminationStatus
      if status == 126 { usleep(50_000) }
    }
    #expect(
      words == """
        <worker>
        <--slots>
        <1>
        <--join>
        </join file's "name">
        <--deadline>
        <480s>
        <--scratch>
        </fast disk/`false` $(false) \\ "x"/n7>

        """)
  }

  @Test func `what would not be one job is refused with words`() throws {
    #expect(try refusal { $0.name = "a\n#SBATCH --uid=0" }.hasPrefix("--name: has a line break"))
    #expect(try refusal { $0.sbatchOptions = ["--x\nrm -rf ~"] }.hasPrefix("--sbatch-option: has a line break"))
    #expect(try refusal { $0.sbatchOptions = ["constraint=x"] }.contains("is no option"))
    #expect(try refusal { $0.partition = "" }.hasPrefix("--partition is empty"))
    #expect(try refusal { $0.name = "a,b" }.contains("without a comma"))
    #expect(try refusal { $0.marginSeconds = 28_800 }.contains("shorter than --time 8:00:00"))
    #expect(try refusal { $0.cpusPerTask = 0 }.contains("from 1 to 1024"))
    #expect(try refusal { $0.name = "two \"words\"" } == "nothing")
  }

  @Test func `the queue is read line by line, and those that have ended are left out`() {
    let queue = "17_1|R|n1\n17_2|CG|n2\n17_3|PD|\n17_4|CD|n1\n\nnoise\n18_1|CF|n3\n"
    #expect(
      SlurmTools.tasks(ofQueue: queue) == [
        SlurmTask(id: "17_1", state: .running, node: "n1"), SlurmTask(id: "17_2", state: .leaving, node: "n2"),
        SlurmTask(id: "17_3", state: .pending), SlurmTask(id: "18_1", state: .running, node: "n3"),
      ])
  }

  @Test func `a machine without Slurm says so`() {
    #expect(throws: SlurmError.missing(command: "sbatch")) { try SlurmTools(searching: "/nowhere:") }
  }
}
