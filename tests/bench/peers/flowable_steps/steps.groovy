// An embedded Flowable with the same steps: a request comes with its facts, somebody is chosen, and is given a task.
// Arguments: JDBC URL, user, password, BPMN file, threads, seconds. Prints the instances in those seconds.
import java.util.concurrent.Callable
import java.util.concurrent.Executors
import java.util.concurrent.atomic.AtomicLong
import org.flowable.engine.delegate.DelegateExecution
import org.flowable.engine.delegate.JavaDelegate
import org.flowable.engine.impl.cfg.StandaloneProcessEngineConfiguration

class Choice implements JavaDelegate {
    void execute(DelegateExecution execution) {
        def firm = execution.getVariable("enterprise") as String
        execution.setVariable("assignee", "L" + (Math.abs(firm.hashCode()) % 200))
    }
}

def (url, user, password, bpmn, threads, seconds) = args as List
def configuration = new StandaloneProcessEngineConfiguration()
configuration.jdbcDriver = "org.postgresql.Driver"
configuration.jdbcUrl = url
configuration.jdbcUsername = user
configuration.jdbcPassword = password
configuration.jdbcMaxActiveConnections = (threads as int) + 4
configuration.jdbcMaxIdleConnections = (threads as int) + 4
configuration.databaseSchemaUpdate = "true"
configuration.asyncExecutorActivate = false
configuration.beans = [choice: new Choice()]
def engine = configuration.buildProcessEngine()
engine.repositoryService.createDeployment().addInputStream("routing.bpmn20.xml", new FileInputStream(bpmn as String)).deploy()
def made = new AtomicLong()
def course = { long until, boolean counted ->
    def pool = Executors.newFixedThreadPool(threads as int)
    def work = (0..<(threads as int)).collect { thread ->
        ({
            long number = 0
            while (System.nanoTime() < until) {
                engine.runtimeService.startProcessInstanceByKey("routing", "${thread}-${number}".toString(), [
                    enterprise: "E" + ((number * 31 + (thread as long)) % 2000), summary: "园区北门道路积水",
                    detail: "雨后积水约二十厘米,货车无法进出。", category: "基础设施/道路交通", kind: "help", channel: "web"])
                number++
            }
            if (counted) made.addAndGet(number)
            return number
        } as Callable)
    }
    pool.invokeAll(work).each { it.get() }
    pool.shutdown()
}
course(System.nanoTime() + 3_000_000_000L, false)
long begun = System.nanoTime()
course(begun + (seconds as long) * 1_000_000_000L, true)
double spent = (System.nanoTime() - begun) / 1e9
long assigned = engine.taskService.createTaskQuery().taskAssigned().count()
println groovy.json.JsonOutput.toJson([made: made.get(), seconds: spent, assigned: assigned])
engine.close()
